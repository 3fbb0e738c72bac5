// SPDX-License-Identifier: Apache-2.0
// Requests of a hostile host that does hold the channel key. An input is a list of requests, each either free bytes or
// a good request with some bytes changed, in a frame that is always well made, so that the rules behind are reached.
#include "fuzz/trusted/fuzz.hpp"
#include "trusted/base/keccak.hpp"
#include "trusted/ethereum/calls.hpp"
#include "trusted/protocol/phrase_messages.hpp"
#include "trusted/tests/support/account.hpp"
#include "trusted/tests/support/generic_keys.hpp"
#include "trusted/tests/support/root_keys.hpp"

using namespace community::trusted::testing;
namespace base = community::base;
namespace protocol = community::protocol;

namespace {

const Address kAdopted = address("000000000000000000000000000000000000ad09");

struct Template {
  Command command;
  Bytes body;
};

// Requests about the phrase, messages and secrets; the wallet has neither phrase nor content root, so all that can be
// signed is an account's message, and all that can be opened a session key.
void add_phrase_templates(World& world, std::vector<Template>& all) {
  const OwnedProof wallet = world.host.proof(world.wallet);
  const protocol::EoaKey eoa{kChain, 0, 0};
  all.push_back({Command::eoa_describe, encoded(protocol::EoaDescribeRequest{wallet.view(), eoa})});
  const Bytes legacy =
      rlp_list({rlp_number(Uint256(1)), rlp_number(Uint256(1)), rlp_number(Uint256(21'000)), rlp_string(kShop),
                rlp_number(Uint256(1)), rlp_string({}), rlp_number(Uint256(kChain)), rlp_string({}), rlp_string({})});
  const auto over_legacy = world.passkey.sign(base::keccak256(legacy));
  all.push_back({Command::sign_eoa_transaction,
                 encoded(protocol::SignEoaTransactionRequest{wallet.view(), eoa, legacy, over_legacy.view()})});
  const Bytes text = to_bytes("hello");
  all.push_back(
      {Command::sign_message, encoded(protocol::SignMessageRequest{wallet.view(), eoa, text, over_legacy.view()})});
  protocol::TypedData data;
  data.domain.present = protocol::kDomainName | protocol::kDomainContract;
  data.domain.name = base::view("Shop");
  data.domain.verifying_contract = kShop;
  data.type_count = 1;
  data.types[0].text = base::view("Order(address buyer,uint8[] sizes)");
  const Bytes values = join({kStranger, unhex("0001"), Bytes(32)});
  data.values = values;
  all.push_back({Command::sign_typed_data,
                 encoded(protocol::SignTypedDataRequest{wallet.view(), eoa, data, over_legacy.view()})});
  protocol::SignAccountMessageRequest message;
  message.record = wallet.view();
  message.chain_id = kChain;
  message.account = world.account;
  message.data = data;
  message.assertion = over_legacy.view();
  all.push_back({Command::sign_account_message, encoded(message)});
  const protocol::HpkeKey page = world.host.status().hpke_key;
  const auto over_export = world.passkey.sign(protocol::phrase_export_challenge(world.wallet.id, page));
  all.push_back(
      {Command::phrase_export, encoded(protocol::PhraseExportRequest{wallet.view(), page, over_export.view()})});
  const Bytes cipher(113);
  const protocol::SealedMessage sealed{page, cipher};
  for (const Command command : {Command::session_secret, Command::content_root_open})
    all.push_back({command, encoded(protocol::SealedRequest{wallet.view(), sealed, over_export.view()})});
}

// Of an account beyond its batches.
void add_account_templates(World& world, std::vector<Template>& all) {
  const OwnedProof wallet = world.host.proof(world.wallet);
  const TestGrant grant;
  const Bytes32 ticket = ticket_for(world, grant);
  const TestUserop session = session_userop(world, grant);
  all.push_back({Command::sign_session, encoded(protocol::SignSessionRequest{wallet.view(), kChain, kEntryPoint8,
                                                                             session.fields(), ticket, 0})});
  const auto action = good_action(protocol::ActionKind::change_rules);
  const auto signed_action = world.passkey.sign(action_digest(action, kChain, world.account));
  all.push_back({Command::sign_action, encoded(protocol::SignActionRequest{wallet.view(), kChain, world.account, 0,
                                                                           action, signed_action.view()})});
  const auto change = key_change({SoftPasskey(79).passkey()});
  const auto signed_change = world.passkey.sign(key_change_digest(change, {}, kChain, world.account));
  all.push_back(
      {Command::account_change_keys, encoded(protocol::AccountChangeKeysRequest{wallet.view(), kChain, world.account, 0,
                                                                                change, signed_change.view()})});
  const auto signed_adoption = world.passkey.sign(adoption_challenge(world, kShop, 1));
  all.push_back({Command::account_adopt,
                 encoded(protocol::AccountAdoptRequest{wallet.view(), kChain, kShop, 1, signed_adoption.view()})});
  TestUserop userop = world.good_userop();
  userop.sender = kAdopted;
  const auto assertion = world.passkey.sign(world.hash(userop));
  all.push_back({Command::sign_userop, encoded(protocol::SignUseropRequest{wallet.view(), kChain, kEntryPoint8,
                                                                           userop.fields(), assertion.view()})});
}

// Two root keys, every record under the first, and the numbers unknown: the state in which most can be asked.
void rotate_and_recover(World& world) {
  require(rotate(world.host, 2) == Error::ok, "the root key is rotated");
  const auto status = world.host.status();
  const Bytes recovery = encoded(protocol::Recovery{status.core_id, status.recovery_count + 1, status.root});
  const protocol::RecoverRequest request{recovery, world.host.operator_sign("recovery", recovery)};
  require(world.host.refusal(Command::recover, request) == Error::ok, "the tree is taken as it is");
}

StoredRecord make_treasury(World& world) {
  world.configuration.treasury_count = 1;
  world.configuration.treasuries[0] = {kChain, Uint256(1'000'000), Uint256::max()};
  world.configuration.sequence++;
  require(world.host.configure(world.configuration) == Error::ok, "a treasury is allowed");
  return world.make_key(protocol::Purpose::treasury, kChain);
}

// A payment to the executor and a deposit for the paymaster.
void add_treasury_templates(World& world, const StoredRecord& treasury, std::vector<Template>& all) {
  const OwnedProof proof = world.host.proof(treasury), executor = world.host.proof(world.executor);
  TestTransaction transaction;
  transaction.gas_limit = Uint256(21'000);
  transaction.to = to_bytes(world.executor_address);
  transaction.value = Uint256(1'000'000);
  const Bytes payment = transaction.encode();
  all.push_back(
      {Command::sign_treasury, encoded(protocol::SignTreasuryRequest{proof.view(), payment, 1, {executor.view()}})});
  transaction.to = to_bytes(kEntryPoint8);
  transaction.data = join({community::ethereum::kDepositTo, abi_word(kPaymaster8)});
  const Bytes deposit = transaction.encode();
  all.push_back({Command::sign_treasury, encoded(protocol::SignTreasuryRequest{proof.view(), deposit, 0, {}})});
}

// The founders' five commands, with orders that the operator signed.
void add_founders_templates(World& world, const StoredRecord& generic, std::vector<Template>& all) {
  const OwnedProof proof = world.host.proof(generic);
  const OwnedPath free_leaf = world.host.tree.path(1'001);
  const Bytes message = to_bytes("hello");
  all.push_back(
      {Command::founders, founders_body(FoundersCommand::sign_message,
                                        protocol::GenericSignRequest{proof.view(), GenericHash::keccak256, message})});
  all.push_back({Command::founders, founders_body(FoundersCommand::get_public_key, proof.view())});
  const SealedSecret sealed(world, Uint256(5).to_be());
  for (const FoundersCommand command : {FoundersCommand::generate_key, FoundersCommand::import_key}) {
    auto order = generic_order(world, command);
    if (command == FoundersCommand::import_key) order.secret = sealed.view();
    const SignedBytes bytes(world, order);
    all.push_back(
        {Command::founders, founders_body(command, protocol::GenericCreateRequest{free_leaf.view(), bytes.view()})});
  }
  auto order = generic_order(world, FoundersCommand::delete_key);
  order.key_id = generic.id;
  const SignedBytes bytes(world, order);
  all.push_back({Command::founders, founders_body(FoundersCommand::delete_key,
                                                  protocol::GenericDeleteRequest{proof.view(), bytes.view()})});
}

void add_root_key_templates(World& world, const StoredRecord& treasury, const StoredRecord& generic,
                            std::vector<Template>& all) {
  all.push_back({Command::rotate_root_key, encoded(SignedOrder(world.host, 2, "root key rotation").view())});
  all.push_back({Command::retire_root_key, encoded(SignedOrder(world.host, 1, "root key retirement").view())});
  const OwnedProof wallet = world.host.proof(world.wallet);
  all.push_back({Command::reseal, encoded(wallet.view())});
  all.push_back({Command::count_records,
                 count_request(world.host, 0, {world.wallet, world.executor, world.paymaster, treasury, generic})});
}

// Good requests of every kind against the world as it stands.
std::vector<Template> make_templates(World& world) {
  const Uncommitted adoption = adopt_account(world, kAdopted, 0);
  require(adoption.error == Error::ok && world.host.commit().error == Error::ok, "an account is adopted");
  world.wallet = adoption.record;
  const StoredRecord treasury = make_treasury(world);
  const GenericKey generic = generate_generic(world);
  require(generic.error == Error::ok, "a generic key is made");
  rotate_and_recover(world);
  std::vector<Template> all;
  const OwnedProof wallet = world.host.proof(world.wallet), executor = world.host.proof(world.executor);
  const OwnedProof paymaster = world.host.proof(world.paymaster);
  TestUserop userop = world.good_userop();
  const auto assertion = world.passkey.sign(world.hash(userop));
  all.push_back({Command::sign_userop, encoded(protocol::SignUseropRequest{wallet.view(), kChain, kEntryPoint8,
                                                                           userop.fields(), assertion.view()})});
  userop.init_code = create_account(kFactory, world.init_data);
  userop.paymaster_and_data = paymaster_data(kPaymaster8, 1, 1, Bytes(77));
  const auto deploying = world.passkey.sign(world.hash(userop));
  all.push_back({Command::sign_userop, encoded(protocol::SignUseropRequest{wallet.view(), kChain, kEntryPoint8,
                                                                           userop.fields(), deploying.view()})});
  const Bytes transaction = world.good_transaction().encode();
  all.push_back({Command::sign_transaction, encoded(protocol::SignTransactionRequest{executor.view(), transaction})});
  protocol::SignSponsorshipRequest sponsorship;
  sponsorship.record = paymaster.view();
  sponsorship.chain_id = kChain;
  sponsorship.entry_point = kEntryPoint8;
  sponsorship.paymaster = kPaymaster8;
  sponsorship.userop = userop.fields();
  sponsorship.valid_until = 1;
  all.push_back({Command::sign_sponsorship, encoded(sponsorship)});
  const Bytes change =
      encoded(protocol::WalletChange{protocol::WalletChangeKind::add_passkey, SoftPasskey(77).passkey(), {}});
  const auto change_assertion =
      world.passkey.sign(protocol::wallet_change_challenge(world.wallet.id, world.wallet.revision, change));
  all.push_back(
      {Command::wallet_update, encoded(protocol::WalletUpdateRequest{wallet.view(), change, change_assertion.view()})});
  all.push_back(
      {Command::account_bind, encoded(protocol::AccountBindRequest{wallet.view(), kOtherChain, 0, world.init_data})});
  all.push_back({Command::wallet_describe, encoded(protocol::WalletDescribeRequest{wallet.view(), 0})});
  all.push_back({Command::key_describe, encoded(executor.view())});
  const OwnedPath free_leaf = world.host.tree.path(1'000);
  protocol::WalletCreateRequest create;
  create.path = free_leaf.view();
  create.passkey = SoftPasskey(78).passkey();
  all.push_back({Command::wallet_create, encoded(create)});
  all.push_back({Command::key_create, encoded(protocol::KeyCreateRequest{free_leaf.view(), 3, kChain})});
  const Bytes configuration = encoded(world.configuration);
  all.push_back({Command::configure, encoded(protocol::ConfigureRequest{
                                         configuration, world.host.operator_sign("configuration", configuration)})});
  all.push_back({Command::commit, encoded(protocol::CommitRequest{world.host.status().epoch, world.host.tree.root()})});
  all.push_back({Command::status, {}});
  all.push_back({Command::release_leases, {}});
  add_phrase_templates(world, all);
  add_account_templates(world, all);
  all.push_back({Command::attest, encoded(protocol::AttestRequest{Bytes32{}, 1})});
  add_root_key_templates(world, treasury, generic.record, all);
  add_treasury_templates(world, treasury, all);
  add_founders_templates(world, generic.record, all);
  return all;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  static const std::vector<Template> templates = make_templates(world);
  static const Bytes32 root = world.host.tree.root();
  Input input({data, size});
  require(world.host.reconnect(), "the host connects");
  for (int i = 0; i < 8 && !input.empty(); i++) {
    const std::uint8_t kind = input.byte();
    Reply reply;
    Bytes body;
    if (kind >= 0xf0) {
      reply = world.host.call(static_cast<Command>(kind & 0x0f ? input.byte() : input.size16()),
                              input.take(input.size16()));
    } else {
      const Template& chosen = templates[kind % templates.size()];
      body = chosen.body;
      for (int changes = input.byte() % 8; changes > 0 && !body.empty(); changes--) {
        const std::size_t at = input.size16() % body.size();
        body[at] = input.byte();
      }
      const std::size_t cut = input.byte();
      if (cut > 200) body.resize(body.size() - body.size() % cut);
      reply = world.host.call(chosen.command, body);
    }
    require(reply.error != Error::no_session, "a well made frame is answered");
    require(protocol::name(reply.error) != "unknown", "every error has a name");
    require(reply.error == Error::ok || reply.body.empty(), "a refusal says nothing but its name");
    if (reply.error == Error::ok && kind < 0xf0 && templates[kind % templates.size()].command == Command::sign_userop) {
      const auto answer = decoded<protocol::SignUseropReply>(reply.body);
      require(recover_address(answer.userop_hash, answer.signature) == world.server_key, "the server key signed");
      const auto request = decoded<protocol::SignUseropRequest>(body);
      require(request.userop.sender != kAdopted || answer.deploys == 0, "an adopted account is never deployed");
    }
  }
  // Nothing of all this was committed: no COMMIT of a new root can be guessed.
  require(world.host.core().state().root == root, "the root is as it was");
  return 0;
}
