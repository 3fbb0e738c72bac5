// SPDX-License-Identifier: Apache-2.0
// Between the door's JSON and the values of the keys module. Structures of the trusted core's own protocol
// (spec/trusted-core-protocol.md) travel in its encoding, in hex: one strict reader for both doors.
#pragma once
#include "community/control/api/control.hpp"
#include "community/core/json.hpp"
#include "trusted/protocol/account_messages.hpp"
#include "trusted/protocol/frame.hpp"

namespace community::control {

namespace json = boost::json;

inline constexpr const char* kInfo = "control_info";
inline constexpr const char* kCreateWallet = "control_createWallet";
inline constexpr const char* kBindAccount = "control_bindAccount";
inline constexpr const char* kAdoptAccount = "control_adoptAccount";
inline constexpr const char* kSignUserop = "control_signUserop";
inline constexpr const char* kSignSession = "control_signSession";
inline constexpr const char* kSignAction = "control_signAction";
inline constexpr const char* kChangeKeys = "control_changeKeys";
inline constexpr const char* kDescribeWallet = "control_describeWallet";
inline constexpr const char* kBring = "control_bring";
inline constexpr const char* kErrand = "control_errand";
inline constexpr const char* kAlarms = "control_alarms";
inline constexpr const char* kAcknowledge = "control_acknowledge";
inline constexpr const char* kKeyDifference = "control_keyDifference";
inline constexpr const char* kCoreStatus = "control_coreStatus";
inline constexpr const char* kRotateRootKey = "control_rotateRootKey";
inline constexpr const char* kRetireRootKey = "control_retireRootKey";
inline constexpr const char* kResealProgress = "control_resealProgress";
inline constexpr const char* kGenericKeys = "control_genericKeys";
inline constexpr const char* kCreateGenericKey = "control_createGenericKey";
inline constexpr const char* kDeleteGenericKey = "control_deleteGenericKey";
inline constexpr const char* kSignGeneric = "control_signGeneric";
inline constexpr const char* kTreasury = "control_treasury";
inline constexpr const char* kPay = "control_pay";
inline constexpr const char* kPayment = "control_payment";
inline constexpr const char* kPeerChallenge = "control_peerChallenge";
inline constexpr const char* kEvidence = "control_evidence";
inline constexpr const char* kCreateBackup = "control_createBackup";
inline constexpr const char* kBackupShare = "control_backupShare";
inline constexpr const char* kCheckpoint = "control_checkpoint";
inline constexpr const char* kFenceCertificate = "control_fenceCertificate";
inline constexpr const char* kFence = "control_fence";
inline constexpr const char* kUsers = "control_users";
inline constexpr const char* kUser = "control_user";
inline constexpr const char* kSetUserActive = "control_setUserActive";
inline constexpr const char* kEndUserSessions = "control_endUserSessions";

// A refusal of the keys module: its code and the trusted core's rule are in `data`.
inline constexpr int kRpcKeysError = -32'010;
inline constexpr int kRpcCourierError = -32'011;
inline constexpr int kRpcAlarmsError = -32'012;
inline constexpr int kRpcTreasuryError = -32'013;
inline constexpr int kRpcUsersError = -32'014;

template <class Message>
std::string encode_hex(const Message& message) {
  // The largest of these structures is a wallet's description, 8 passkeys, 32 rules and 16 accounts.
  Bytes buffer(16'384);
  return core::to_hex(protocol::encode(message, buffer));
}

// Reads members of one parameters object; the first wrong one is kept, and names itself.
class Members {
 public:
  explicit Members(const json::value& params);

  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(std::string_view member) {
    std::array<std::uint8_t, N> out{};
    const Bytes bytes = this->bytes(member, N);
    if (bytes.size() == N) base::copy(out, bytes);
    if (bytes.size() != N) wrong(member);
    return out;
  }
  Bytes bytes(std::string_view member, std::size_t most);
  std::uint64_t number(std::string_view member, std::uint64_t most);
  core::Uint256 word(std::string_view member);
  std::string text(std::string_view member);
  bool flag(std::string_view member);
  bool has(std::string_view member) const;
  // Empty and wrong when it is no object.
  Members object(std::string_view member);
  // Objects of an array; wrong when it is none, or one of them is no object.
  std::vector<Members> list(std::string_view member);
  // In the trusted core's encoding; of messages that own all they hold.
  template <class Message>
  Message message(std::string_view member, std::size_t most) {
    const Bytes encoded = bytes(member, most);
    Message message;
    if (!protocol::decode(encoded, message)) wrong(member);
    return message;
  }

  void wrong(std::string_view member);
  // Name of the first member that is missing or wrong; empty when all were good.
  const std::string& trouble() const { return *trouble_; }

 private:
  const json::object* object_ = nullptr;
  std::shared_ptr<std::string> trouble_;
};

json::object to_json(const keys::Assertion& assertion);
keys::Assertion read_assertion(Members members);
// Members of PackedUserOperation are core::to_json's.
core::PackedUserOperation read_packed(Members members);
json::object to_json(const NodeInfo& info);
NodeInfo read_info(Members& members);
json::object to_json(const courier::Errand& errand);
courier::Errand read_errand(Members& members);
json::object to_json(const keys::GenericKey& key);
keys::GenericKey read_generic_key(Members& members);
json::object to_json(const treasury::Payment& payment);
treasury::Payment read_payment(Members& members);
json::object to_json(const users::PersonSummary& person);
users::PersonSummary read_person(Members& members);
json::object to_json(const treasury::TreasuryReport& report);
treasury::TreasuryReport read_report(Members& members);

infra::RpcError to_rpc(const keys::Error& error);
keys::Error to_keys(const infra::RpcError& error);

}  // namespace community::control
