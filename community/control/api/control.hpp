// SPDX-License-Identifier: Apache-2.0
// The door through which this machine's operator reaches a running node: JSON-RPC at /control of the HTTP API, behind a
// token that the node writes into its data folder at each start. Who reads that folder is the operator already.
#pragma once
#include <filesystem>
#include <optional>

#include "community/core/rules.hpp"
#include "community/courier/api/courier.hpp"
#include "community/infra/api/http_client.hpp"
#include "community/infra/api/json_rpc.hpp"
#include "community/infra/api/random.hpp"
#include "community/keys/api/key_service.hpp"
#include "community/treasury/api/treasurer.hpp"
#include "community/users/api/operator.hpp"

namespace community::control {

using core::Address;
using core::Bytes;
using core::Bytes32;
using infra::Task;

#define COMMUNITY_CONTROL_ERRORS(X)                                                 \
  X(not_running) /* no node has left its address in the data folder */              \
  X(unreachable) /* the node does not answer; the message says what it was asked */ \
  X(forbidden)   /* the token is of an earlier start */                             \
  X(refused)     /* the node said no; the message has its words */                  \
  X(malformed)   /* an answer that no node of this version gives */                 \
  X(io)

COMMUNITY_ERRORS(COMMUNITY_CONTROL_ERRORS)

// What a client must know to make accounts and operations for this node.
struct NodeInfo {
  std::uint64_t chain_id = 0;
  // JSON-RPC of the node.
  std::string rpc_url;
  Address entry_point{};
  Address factory{};
  Bytes32 proxy_init_code_hash{};
  // CommunityMultisigFactory, for multisigs; with the hash their addresses follow from init data.
  Address multisig_factory{};
  Bytes32 multisig_proxy_init_code_hash{};
  // Of its paymaster on that EntryPoint; zero when it sponsors nothing.
  Address paymaster{};
  // For software passkeys: a relying party and page that the trusted core accepts.
  std::string rp_id, web_origin;
};

// Where a running node is reached.
struct ControlPlace {
  // "http://127.0.0.1:9000/control"
  std::string url;
  // 64 hex digits
  std::string token;
};
// control.json in the data folder, mode 0600.
Result<void> write_control_place(const std::filesystem::path& data_dir, const ControlPlace& place);
Result<ControlPlace> read_control_place(const std::filesystem::path& data_dir);
// The same door for another chain of the node: its courier, alarms and treasury. Where the node serves no such chain,
// each request fails (HTTP 404).
ControlPlace on_chain(ControlPlace place, std::uint64_t chain_id);
void remove_control_place(const std::filesystem::path& data_dir);

// The trusted core's wallets, root keys, generic keys and backup as the node's own modules see them, from outside of
// the node. keys::ErrorCode::unavailable when the node is not reached.
class ControlClient final : public keys::WalletKeys,
                            public keys::RootKeys,
                            public keys::GenericKeys,
                            public keys::BackupKeys {
 public:
  // `http` outlives the client.
  ControlClient(infra::HttpClient& http, ControlPlace place);
  ~ControlClient() override;

  Task<Result<NodeInfo>> info();
  // Gives a plain function of an account to the node's courier; the errand's id.
  Task<Result<Bytes32>> bring(Address to, Bytes call_data);
  Task<Result<courier::Errand>> errand(Bytes32 id);

  // Oldest first, as alarms::to_json writes them; nothing for `account`: of all accounts.
  Task<Result<boost::json::array>> alarms(std::optional<Address> account, std::int64_t since_id, std::size_t limit);
  Task<Result<void>> acknowledge(std::int64_t alarm);
  // As alarms::to_json writes it.
  Task<Result<boost::json::object>> key_difference(Address account);

  // refused when the configuration gives the treasury nothing.
  Task<Result<treasury::TreasuryReport>> treasury();
  // The payment's id.
  Task<Result<std::uint64_t>> pay(treasury::PaymentKind kind, Address payee, core::Uint256 value);
  Task<Result<treasury::Payment>> payment(std::uint64_t id);

  // People, as users::UsersOperator has it. refused with the rule's name.
  Task<Result<std::vector<users::PersonSummary>>> users(std::string after, std::size_t limit);
  Task<Result<users::PersonSummary>> user(std::string user_id);
  Task<Result<users::PersonSummary>> user_of_email(std::string email);
  Task<Result<void>> set_user_active(std::string user_id, bool is_active);
  Task<Result<std::size_t>> end_user_sessions(std::string user_id);

  Task<keys::Result<keys::WalletInfo>> create_wallet(keys::Passkey passkey, protocol::Policy policy) override;
  Task<keys::Result<Address>> bind_account(keys::AccountBindRequest request) override;
  Task<keys::Result<Address>> adopt_account(keys::AccountAdoptRequest request) override;
  Task<keys::Result<keys::SignedUserop>> sign_userop(keys::UseropRequest request) override;
  Task<keys::Result<keys::SignedSession>> sign_session(keys::SessionRequest request) override;
  Task<keys::Result<keys::SignedDigest>> sign_action(keys::ActionRequest request) override;
  Task<keys::Result<keys::SignedDigest>> change_account_keys(keys::KeyChangeRequest request) override;
  Task<keys::Result<protocol::WalletDescribeReply>> describe_wallet(keys::RecordId wallet,
                                                                    std::uint32_t server_key_index) override;

  Task<keys::Result<keys::CoreStatus>> status() override;
  Task<keys::Result<std::uint32_t>> rotate_root_key(Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<keys::Result<void>> retire_root_key(Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<keys::Result<keys::ResealProgress>> reseal_progress() override;

  Task<keys::Result<std::vector<keys::GenericKey>>> generic_keys() override;
  Task<keys::Result<keys::GenericKey>> create_generic_key(Bytes order, std::array<std::uint8_t, 64> signature) override;
  Task<keys::Result<void>> delete_generic_key(keys::RecordId key, Bytes order,
                                              std::array<std::uint8_t, 64> signature) override;
  Task<keys::Result<protocol::GenericSignature>> sign_generic(keys::RecordId key, protocol::GenericHash hash,
                                                              Bytes message) override;

  Task<keys::Result<Bytes32>> peer_challenge() override;
  Task<keys::Result<Bytes>> evidence(Bytes32 challenge) override;
  Task<keys::Result<keys::MadeBackup>> create_backup(keys::SignedMessage order) override;
  Task<keys::Result<keys::SentShare>> backup_share(Bytes description, std::uint8_t index, Bytes32 challenge,
                                                   Bytes evidence) override;
  Task<keys::Result<Bytes>> checkpoint() override;
  Task<keys::Result<protocol::FenceCertificate>> fence_certificate() override;
  Task<keys::Result<void>> fence(protocol::FenceCertificate certificate) override;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace community::control
