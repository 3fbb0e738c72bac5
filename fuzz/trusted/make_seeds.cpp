// SPDX-License-Identifier: Apache-2.0
// Writes the first inputs of the trusted core's fuzzers: trusted_fuzz_seeds FOLDER, where FOLDER is fuzz/corpus.
#include <filesystem>
#include <fstream>

#include "fuzz/trusted/fuzz.hpp"
#include "trusted/protocol/phrase_messages.hpp"
#include "trusted/tests/support/account.hpp"
#include "trusted/tests/support/backup.hpp"

using namespace community::trusted;
using namespace community::trusted::testing;
namespace base = community::base;
namespace protocol = community::protocol;

namespace {

std::string folder;

void seed(const std::string& fuzzer, const std::string& name, ByteView bytes) {
  const std::string path = folder + "/trusted_" + fuzzer + "_fuzz";
  std::filesystem::create_directories(path);
  std::ofstream file(path + "/" + name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

Bytes sized(ByteView bytes) {
  Bytes out{static_cast<std::uint8_t>(bytes.size() >> 8), static_cast<std::uint8_t>(bytes.size())};
  append(out, bytes);
  return out;
}

// Of keys of a phrase: transactions and typed data.
void phrase_seeds() {
  const Bytes list = rlp_list({rlp_list({rlp_string(kShop), rlp_list({rlp_string(Bytes(32))})})});
  const Bytes head = join({rlp_number(Uint256(kChain)), rlp_number(Uint256(1)), rlp_number(Uint256(2))});
  const Bytes tail = join({rlp_number(Uint256(21'000)), rlp_string(kShop), rlp_number(Uint256(3)), rlp_string({})});
  seed("eoa_transaction", "legacy",
       rlp_list({rlp_number(Uint256(1)), rlp_number(Uint256(2)), tail, rlp_number(Uint256(kChain)), rlp_string({}),
                 rlp_string({})}));
  seed("eoa_transaction", "type1", join({Bytes{1}, rlp_list({head, tail, list})}));
  seed("eoa_transaction", "type2", join({Bytes{2}, rlp_list({head, rlp_number(Uint256(2)), tail, list})}));
  seed("eoa_transaction", "type4",
       join({Bytes{4}, rlp_list({head, rlp_number(Uint256(2)), tail, list,
                                 rlp_list({authorization(kChain, kShop, 0, 1, Uint256::max(), Uint256(1))})})}));
  protocol::TypedData data;
  data.domain.present = 31;
  data.domain.name = data.domain.version = base::view("1");
  data.domain.chain_id = kChain;
  data.type_count = 2;
  data.types[0].text = base::view("Mail(Person[] to,string text,bytes4 tag,int8[2][] more)");
  data.types[1].text = base::view("Person(address wallet,bool known)");
  const Bytes values = join({unhex("0001"), kShop, unhex("0100000001610102030400010000"), Bytes(62)});
  data.values = values;
  seed("typed_data", "mail", encoded(data));
}

// Of P-256, by the number in front: bytes as they are, a secret and a peer, a point with an x above n that is arrived
// at, multipliers that make both products one point, a secret and a nonce. The last two bytes change something.
void p256_seeds() {
  const Bytes32 digest = base::sha256(base::view("p256"));
  // n + 6 is the x of a point.
  const Bytes above = unhex("20ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632557");
  for (const char* fuzzer : {"p256", "p256_bearssl"}) {
    seed(fuzzer, "bytes", join({Bytes{0}, Bytes(64, 1), digest, Bytes(64, 2), Bytes{64, 1}}));
    seed(fuzzer, "agreement", join({Bytes{1, 1, 7, 0, 0}, digest}));
    seed(fuzzer, "above_order", join({Bytes{2}, above, Bytes{0, 32}, digest, Bytes{1, 9, 127, 1}}));
    seed(fuzzer, "same_point", Bytes{3, 1, 1, 1, 5, 1, 5, 130, 1});
    seed(fuzzer, "zero_digest", Bytes{4, 1, 3, 1, 4, 0, 64, 128});
  }
}

// Of an account's calls to itself, grants and actions.
void account_seeds(const std::vector<TestCall>& calls) {
  const Bytes limit = join({abi_word(kShop), abi_word(Uint256(9))});
  seed("queue", "limit", limit);
  seed("queue", "call", queue_call(1, limit, 7));
  seed("queue", "spend", queue_call(0, batch_data(calls), 7, true));
  TestGrant grant;
  grant.selectors = {"11111111", "22222222"};
  seed("grant", "create", grant.create_call());
  seed("grant", "session", grant.session_call(batch_data(calls)));
  seed("grant", "arguments", ByteView(grant.create_call()).subspan(4));
  for (std::uint8_t kind = 1; kind <= 10; kind++)
    seed("action", std::to_string(kind), encoded(good_action(static_cast<community::protocol::ActionKind>(kind))));
  seed("action", "keys", encoded(key_change({SoftPasskey(5).passkey()}, {SoftPasskey(6).passkey()})));
  const Bytes siblings(32, 1), sealed(64, 2), client{'{', '}'};
  protocol::AccountAdoptRequest adoption;
  adoption.record = {sealed, {1, 1, siblings}};
  adoption.chain_id = kChain;
  adoption.account = kShop;
  adoption.server_key_index = 1;
  adoption.assertion.client_data = client;
  seed("action", "adoption", encoded(adoption));
}

// Good requests by their number, one with a change, and messages behind 255; behind 254 what an offline holder seals.
void backup_seeds() {
  for (std::uint8_t kind = 0; kind < 12; kind++) seed("backup", "good-" + std::to_string(kind), Bytes{kind, 0, 0});
  seed("backup", "changed", unhex("030200310501f00700"));
  BackupWorld backup;
  require(backup.create(backup.order()) == Error::ok && backup.send(5).error == Error::ok, "there is a backup");
  const auto message = [](const std::string& name, const Bytes& bytes) {
    seed("backup", name, join({Bytes{0xff}, bytes}));
  };
  message("description", backup.description);
  message("order", encoded(backup.order()));
  message("restore-order", encoded(backup.restore_order()));
  message("checkpoint", backup.checkpoint());
  message("package", encoded(backup.offline.package.view()));
  message("contents", backup.offline.open());
  seed("backup", "sealed", join({Bytes{0xfe}, backup.offline.open()}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  World world;
  HostChannel stranger(Bytes32{});
  const Bytes hello = stranger.hello();
  seed("frame", "hello", join({Bytes{0}, sized(hello)}));
  seed("frame", "request", join({Bytes{1}, sized(stranger.request(Command::status, Bytes(8)))}));
  for (std::uint8_t kind = 0; kind < 40; kind++) seed("dispatch", "good-" + std::to_string(kind), Bytes{kind, 0, 0});
  seed("dispatch", "sequence", unhex("0801000505000a0000050000f101000400010203"));

  AssertionOptions options;
  seed("client_data", "browser", to_bytes(client_data_json(Bytes32{}, options)));
  options.tail = ",\"crossOrigin\":false,\"x\":[1.5e-3,true,null,{\"a\":\"\\u00e4\\n\"}]}";
  seed("client_data", "more", to_bytes(client_data_json(Bytes32{}, options)));
  options = {};
  seed("authenticator_data", "plain", world.passkey.sign(Bytes32{}, options).authenticator_data);
  options.flags = 0x85;
  options.extensions = unhex("a26b686d61632d73656372657441016161820102");
  seed("authenticator_data", "extensions", world.passkey.sign(Bytes32{}, options).authenticator_data);

  const std::vector<TestCall> calls{{kShop, Uint256(1), unhex("a9059cbb")}, {kStranger, Uint256(2), {}}};
  seed("batch", "call", batch_call(calls));
  seed("batch", "data", batch_data(calls));
  seed("handle_ops", "two", handle_ops(2, kShop, unhex("010203")));
  seed("handle_ops", "one", handle_ops(1, kShop));
  seed("init_data", "data", world.init_data);
  const Bytes create = create_account(kFactory, world.init_data);
  seed("init_data", "call", ByteView(create).subspan(20));
  TestTransaction transaction = world.good_transaction();
  transaction.data = unhex("01");
  seed("transaction", "type2", transaction.encode());
  transaction.type = 4;
  transaction.authorizations = rlp_list({authorization(1, kShop, 0, 1, Uint256::max(), Uint256(1))});
  seed("transaction", "type4", transaction.encode());

  phrase_seeds();
  p256_seeds();
  account_seeds(calls);
  backup_seeds();
  seed("record", "unchanged", Bytes{0});
  seed("record", "header", join({Bytes{1}, ByteView(world.wallet.sealed).subspan(kRecordHeader)}));
  seed("record", "state", world.host.store.contents());
  seed("record", "configuration", encoded(world.configuration));
  const Bytes32 noise{};
  const Bytes slot = join({unhex("434e5331"), Bytes(7), Bytes{1}, Bytes(3), Bytes{32}, noise});
  seed("slot", "checksummed", join({Bytes{1}, sized(slot), slot}));
  seed("slot", "torn", join({Bytes{0}, sized(slot), Bytes(20)}));
  return 0;
}
