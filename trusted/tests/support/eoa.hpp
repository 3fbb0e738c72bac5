// SPDX-License-Identifier: Apache-2.0
// A world whose wallet has a phrase, and the vectors of what people sign with keys of their own
// (trusted/tests/vectors/messages.jsonl).
#pragma once
#include <boost/json.hpp>

#include "trusted/protocol/phrase_messages.hpp"
#include "trusted/tests/support/source_files.hpp"
#include "trusted/tests/support/world.hpp"

namespace community::trusted::testing {

template <class Visit>
void for_each_message_vector(std::string_view kind, Visit&& visit) {
  std::istringstream lines(read_source("trusted/tests/vectors/messages.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const boost::json::value vector = boost::json::parse(line);
    if (vector.at("kind").as_string() == boost::json::string_view(kind.data(), kind.size())) visit(vector.as_object());
  }
}

struct EoaWorld : World {
  using World::World;

  Error make_phrase(std::uint8_t words) {
    protocol::WalletChange change;
    change.kind = protocol::WalletChangeKind::make_phrase;
    change.words = words == 12 || words == 24 ? words : 12;
    Bytes bytes = encoded(change);
    bytes[1] = words;
    const OwnedProof proof = host.proof(wallet);
    const auto assertion = passkey.sign(protocol::wallet_change_challenge(wallet.id, wallet.revision, bytes));
    const Uncommitted made =
        host.change(Command::wallet_update, protocol::WalletUpdateRequest{proof.view(), bytes, assertion.view()});
    if (made.error != Error::ok) return made.error;
    wallet = made.record;
    return host.commit().error;
  }

  protocol::EoaDescribeReply describe(const protocol::EoaKey& eoa = {kChain, 0, 0}) {
    const OwnedProof proof = host.proof(wallet);
    const Reply reply = host.ask(Command::eoa_describe, protocol::EoaDescribeRequest{proof.view(), eoa});
    EXPECT_EQ(reply.error, Error::ok);
    return decoded<protocol::EoaDescribeReply>(reply.body);
  }
};

}  // namespace community::trusted::testing
