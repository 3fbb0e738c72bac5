// SPDX-License-Identifier: Apache-2.0
#include "community/keys/factory.hpp"

namespace community::keys {
namespace {

class ExecutorsWithout final : public ExecutorKeys {
 public:
  ExecutorsWithout(ExecutorKeys& all, RecordId reserved) : all_(all), reserved_(reserved) {}

  Task<Result<std::vector<KeyInfo>>> executors(std::uint64_t chain_id) override {
    auto keys = co_await all_.executors(chain_id);
    if (keys) std::erase_if(*keys, [this](const KeyInfo& key) { return key.id == reserved_; });
    co_return keys;
  }
  Task<Result<Signature>> sign_transaction(RecordId executor, Bytes unsigned_transaction) override {
    if (executor == reserved_) co_return fail(ErrorCode::not_found, "this executor is reserved");
    co_return co_await all_.sign_transaction(executor, std::move(unsigned_transaction));
  }

 private:
  ExecutorKeys& all_;
  RecordId reserved_;
};

}  // namespace

std::unique_ptr<ExecutorKeys> executors_without(ExecutorKeys& all, RecordId reserved) {
  return std::make_unique<ExecutorsWithout>(all, reserved);
}

}  // namespace community::keys
