// SPDX-License-Identifier: Apache-2.0
// The place of a wallet under way in the service's table of tags.
#pragma once
#include "community/keys/service.hpp"

namespace community::keys {

class Service::TagInUse {
 public:
  using Table = std::map<WalletTag, std::shared_ptr<infra::Event>>;

  TagInUse(Table& table, WalletTag tag) : table_(table), tag_(tag) {
    table_.emplace(tag, std::make_shared<infra::Event>());
  }
  ~TagInUse() {
    const auto mine = table_.find(tag_);
    mine->second->set();
    table_.erase(mine);
  }
  TagInUse(const TagInUse&) = delete;
  TagInUse& operator=(const TagInUse&) = delete;

  const WalletTag& tag() const { return tag_; }

 private:
  Table& table_;
  const WalletTag tag_;
};

}  // namespace community::keys
