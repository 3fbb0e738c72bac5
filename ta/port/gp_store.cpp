// SPDX-License-Identifier: Apache-2.0
#include "ta/port/gp_store.hpp"

#include "ta/port/gp_api.hpp"
#include "trusted/core/state.hpp"

namespace community::trusted {
namespace {

constexpr std::array<std::uint8_t, 13> kStateId{'t', 'r', 'u', 's', 't', 'e', 'd', '-', 's', 't', 'a', 't', 'e'};
// Stands beside the state from the first on. OP-TEE deletes an object that it finds damaged, so a state that is not
// found proves nothing; where this mark is, there was one.
constexpr std::array<std::uint8_t, 11> kMarkId{'p', 'r', 'o', 'v', 'i', 's', 'i', 'o', 'n', 'e', 'd'};
// u32 size | state | zeros up to whole kilobytes. The object never shrinks, so that a write is one step: setting its
// size would be a second one, and a crash could come between them.
constexpr std::size_t kSizeBytes = 4, kStep = 1'024, kMaxObject = kSizeBytes + kMaxState + kStep;
constexpr std::uint32_t kAccess = TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE;

TEE_ObjectHandle object = TEE_HANDLE_NULL;
std::size_t object_size = 0;

template <std::size_t N>
TEE_Result open_named(const std::array<std::uint8_t, N>& id, TEE_ObjectHandle& handle) {
  const TEE_Result opened = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, id.data(), id.size(), kAccess, &handle);
  if (opened != TEE_SUCCESS) handle = TEE_HANDLE_NULL;
  return opened;
}

// Never with TEE_DATA_FLAG_OVERWRITE: what stands there is not replaced.
template <std::size_t N>
TEE_Result create_named(const std::array<std::uint8_t, N>& id, ByteView data, TEE_ObjectHandle& handle) {
  const TEE_Result created = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, id.data(), id.size(), kAccess,
                                                        TEE_HANDLE_NULL, data.data(), data.size(), &handle);
  if (created != TEE_SUCCESS) handle = TEE_HANDLE_NULL;
  return created;
}

// After a failure the handle is worth nothing: OP-TEE has dropped what it knew of the object, takes the next use of the
// handle for damage, and deletes what it finds damaged. The application ends instead, the object stays as it is on the
// disk, and a new instance opens it again.
[[noreturn]] void give_up() {
  constexpr TEE_Result kPanicStorage = 0x53544f52;
  TEE_Panic(kPanicStorage);
  __builtin_unreachable();
}

TEE_Result find_mark() {
  TEE_ObjectHandle mark = TEE_HANDLE_NULL;
  const TEE_Result opened = open_named(kMarkId, mark);
  if (opened == TEE_SUCCESS) TEE_CloseObject(mark);
  return opened;
}

bool make_mark() {
  TEE_ObjectHandle mark = TEE_HANDLE_NULL;
  if (create_named(kMarkId, {}, mark) != TEE_SUCCESS) return false;
  TEE_CloseObject(mark);
  return true;
}

bool read(void*, MutableByteView out, std::size_t* size) {
  *size = 0;
  if (object == TEE_HANDLE_NULL) {
    const TEE_Result opened = open_named(kStateId, object);
    // Only without the mark does this mean that nothing was ever written.
    if (opened == TEE_ERROR_ITEM_NOT_FOUND) return find_mark() == TEE_ERROR_ITEM_NOT_FOUND;
    if (opened != TEE_SUCCESS) return false;
    // The power went between the first state and its mark.
    const TEE_Result marked = find_mark();
    if (marked != TEE_SUCCESS && (marked != TEE_ERROR_ITEM_NOT_FOUND || !make_mark())) return false;
  }
  base::Secret<kMaxObject> buffer;
  size_t got = 0;
  if (TEE_SeekObjectData(object, 0, TEE_DATA_SEEK_SET) != TEE_SUCCESS ||
      TEE_ReadObjectData(object, buffer.data(), kMaxObject, &got) != TEE_SUCCESS)
    give_up();
  if (got < kSizeBytes) return false;
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
  if (object == TEE_HANDLE_NULL) {
    if (create_named(kStateId, ByteView(buffer).first(size), object) != TEE_SUCCESS || !make_mark()) return false;
  } else if (TEE_SeekObjectData(object, 0, TEE_DATA_SEEK_SET) != TEE_SUCCESS ||
             TEE_WriteObjectData(object, buffer.data(), size) != TEE_SUCCESS) {
    give_up();
  }
  object_size = size;
  return true;
}

}  // namespace

void use_secure_storage(Port& port) {
  port.store_read = read;
  port.store_write = write;
}

}  // namespace community::trusted
