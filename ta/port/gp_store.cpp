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
// Stands from before the first state until before the second: what is there meanwhile was never used.
constexpr std::array<std::uint8_t, 6> kUnusedId{'u', 'n', 'u', 's', 'e', 'd'};
// u32 size | state | zeros up to whole kilobytes. The object never shrinks, so that a write is one step: setting its
// size would be a second one, and a crash could come between them.
constexpr std::size_t kSizeBytes = 4, kStep = 1'024, kMaxObject = kSizeBytes + kMaxState + kStep;
constexpr std::uint32_t kAccess = TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE;

TEE_ObjectHandle object = TEE_HANDLE_NULL;
std::size_t object_size = 0;
bool never_used = false;

template <std::size_t N>
TEE_Result open_named(const std::array<std::uint8_t, N>& id, TEE_ObjectHandle& handle, std::uint32_t access = kAccess) {
  const TEE_Result opened = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, id.data(), id.size(), access, &handle);
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

template <std::size_t N>
TEE_Result find_mark(const std::array<std::uint8_t, N>& id) {
  TEE_ObjectHandle mark = TEE_HANDLE_NULL;
  const TEE_Result opened = open_named(id, mark);
  if (opened == TEE_SUCCESS) TEE_CloseObject(mark);
  return opened;
}

// One that stands already is as good.
template <std::size_t N>
bool make_mark(const std::array<std::uint8_t, N>& id) {
  TEE_ObjectHandle mark = TEE_HANDLE_NULL;
  const TEE_Result created = create_named(id, {}, mark);
  if (created == TEE_SUCCESS) TEE_CloseObject(mark);
  return created == TEE_SUCCESS || created == TEE_ERROR_ACCESS_CONFLICT;
}

// True too when there is none.
template <std::size_t N>
bool remove_named(const std::array<std::uint8_t, N>& id) {
  TEE_ObjectHandle handle = TEE_HANDLE_NULL;
  const TEE_Result opened = open_named(id, handle, TEE_DATA_FLAG_ACCESS_WRITE_META);
  if (opened == TEE_ERROR_ITEM_NOT_FOUND) return true;
  return opened == TEE_SUCCESS && TEE_CloseAndDeletePersistentObject1(handle) == TEE_SUCCESS;
}

bool read(void*, MutableByteView out, std::size_t* size) {
  *size = 0;
  if (object == TEE_HANDLE_NULL) {
    const TEE_Result opened = open_named(kStateId, object);
    // Only without the mark does this mean that nothing was ever written.
    if (opened == TEE_ERROR_ITEM_NOT_FOUND) return find_mark(kMarkId) == TEE_ERROR_ITEM_NOT_FOUND;
    if (opened != TEE_SUCCESS) return false;
    // The power went between the first state and its mark.
    const TEE_Result marked = find_mark(kMarkId);
    if (marked != TEE_SUCCESS && (marked != TEE_ERROR_ITEM_NOT_FOUND || !make_mark(kMarkId))) return false;
    const TEE_Result unused = find_mark(kUnusedId);
    if (unused != TEE_SUCCESS && unused != TEE_ERROR_ITEM_NOT_FOUND) return false;
    never_used = unused == TEE_SUCCESS;
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
    if (!make_mark(kUnusedId) || create_named(kStateId, ByteView(buffer).first(size), object) != TEE_SUCCESS ||
        !make_mark(kMarkId))
      return false;
    never_used = true;
  } else if (never_used && !remove_named(kUnusedId)) {
    give_up();
  } else if (TEE_SeekObjectData(object, 0, TEE_DATA_SEEK_SET) != TEE_SUCCESS ||
             TEE_WriteObjectData(object, buffer.data(), size) != TEE_SUCCESS) {
    give_up();
  } else {
    never_used = false;
  }
  object_size = size;
  return true;
}

}  // namespace

void use_secure_storage(Port& port) {
  port.store_read = read;
  port.store_write = write;
}

bool secure_storage_unused() { return object != TEE_HANDLE_NULL && never_used; }

// The mark of the state goes before it: with the mark and without the state the device would be a damaged one.
bool erase_secure_storage() {
  if (!secure_storage_unused() || !remove_named(kMarkId)) return false;
  TEE_CloseObject(object);
  object = TEE_HANDLE_NULL;
  if (!remove_named(kStateId)) give_up();
  object_size = 0;
  return true;
}

}  // namespace community::trusted
