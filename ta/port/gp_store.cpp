// SPDX-License-Identifier: Apache-2.0
#include "ta/port/gp_store.hpp"

#include "ta/port/gp_api.hpp"
#include "trusted/core/state.hpp"

namespace community::trusted {
namespace {

constexpr std::array<std::uint8_t, 13> kObjectId{'t', 'r', 'u', 's', 't', 'e', 'd', '-', 's', 't', 'a', 't', 'e'};
// u32 size | state | zeros up to whole kilobytes. The object never shrinks, so that a write is one step: setting its
// size would be a second one, and a crash could come between them.
constexpr std::size_t kSizeBytes = 4, kStep = 1'024, kMaxObject = kSizeBytes + kMaxState + kStep;
constexpr std::uint32_t kAccess = TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE;

TEE_ObjectHandle object = TEE_HANDLE_NULL;
std::size_t object_size = 0;

TEE_Result open_object() {
  if (object != TEE_HANDLE_NULL) return TEE_SUCCESS;
  const TEE_Result opened =
      TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, kObjectId.data(), kObjectId.size(), kAccess, &object);
  if (opened != TEE_SUCCESS) object = TEE_HANDLE_NULL;
  return opened;
}

bool read(void*, MutableByteView out, std::size_t* size) {
  *size = 0;
  const TEE_Result opened = open_object();
  // Only this answer means that nothing was ever written. A damaged, older or foreign object has others.
  if (opened == TEE_ERROR_ITEM_NOT_FOUND) return true;
  base::Secret<kMaxObject> buffer;
  size_t got = 0;
  if (opened != TEE_SUCCESS || TEE_SeekObjectData(object, 0, TEE_DATA_SEEK_SET) != TEE_SUCCESS ||
      TEE_ReadObjectData(object, buffer.data(), kMaxObject, &got) != TEE_SUCCESS || got < kSizeBytes)
    return false;
  const std::size_t state = base::load_be<std::uint32_t>(buffer.data());
  if (state > got - kSizeBytes || state > out.size()) return false;
  object_size = got;
  base::copy(out, ByteView(buffer).subspan(kSizeBytes, state));
  *size = state;
  return true;
}

bool write(void*, ByteView state) {
  base::Secret<kMaxObject> buffer;
  std::size_t size = (kSizeBytes + state.size() + kStep - 1) / kStep * kStep;
  if (size < object_size) size = object_size;
  if (size > kMaxObject) return false;
  base::store_be(buffer.data(), static_cast<std::uint32_t>(state.size()));
  base::copy(MutableByteView(buffer.bytes).subspan(kSizeBytes), state);
  TEE_Result result = open_object();
  if (result == TEE_ERROR_ITEM_NOT_FOUND) {
    // Never with TEE_DATA_FLAG_OVERWRITE: an object that could not be opened is not replaced by an empty core.
    result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, kObjectId.data(), kObjectId.size(), kAccess,
                                        TEE_HANDLE_NULL, buffer.data(), size, &object);
    if (result != TEE_SUCCESS) object = TEE_HANDLE_NULL;
  } else if (result == TEE_SUCCESS) {
    result = TEE_SeekObjectData(object, 0, TEE_DATA_SEEK_SET);
    if (result == TEE_SUCCESS) result = TEE_WriteObjectData(object, buffer.data(), size);
  }
  if (result == TEE_SUCCESS) object_size = size;
  return result == TEE_SUCCESS;
}

}  // namespace

void use_secure_storage(Port& port) {
  port.store_read = read;
  port.store_write = write;
}

}  // namespace community::trusted
