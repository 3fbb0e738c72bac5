// SPDX-License-Identifier: Apache-2.0
// The accounts service as the node runs it: people over the trusted core, the audit log and mail, behind the HTTP API.
#pragma once
#include "cmd/community-node/options.hpp"
#include "community/alarms/api/alarms.hpp"
#include "community/arrivals/factory.hpp"
#include "community/audit/api/audit_log.hpp"
#include "community/gateway/factory.hpp"
#include "community/multisigs/factory.hpp"
#include "community/notifications/api/live.hpp"
#include "community/notifications/factory.hpp"
#include "community/privacy/factory.hpp"
#include "community/transactions/factory.hpp"
#include "community/users/factory.hpp"

namespace community::node {

// Who passkeys are for: as the configuration says, or localhost on the port of the HTTP API for a development chain.
struct PeoplesParty {
  gateway::RelyingParty relying_party;
  std::string origin;
};
// config_value when id and origin do not fit, or one is missing where there is no development chain.
infra::Result<PeoplesParty> relying_party(const RunOptions& options);

// What strangers may ask, and who is counted by a key. config_value for a range or digest that is none.
infra::Result<gateway::ApiOptions> api_options(const RunOptions& options, const PeoplesParty& party);
users::UsersOptions users_options(const RunOptions& options, const PeoplesParty& party,
                                  std::vector<users::AccountChain> chains);

transactions::TransactionsOptions transactions_options(const RunOptions& options, const PeoplesParty& party);

// By chain id, of every chain that is served.
using AlarmsByChain = std::map<std::uint64_t, alarms::Alarms*>;

// Whatever happens to an account is watched from before its first operation lands. The alarms outlive it.
transactions::Transactions::Listener watch_deployed(AlarmsByChain alarms);

// An account that came from elsewhere is watched from then on. The alarms outlive it.
std::function<infra::Task<void>(std::uint64_t, core::Address, keys::RecordId)> follow_arrived(AlarmsByChain alarms);

// Every state that a transaction comes to, told to its person's open pages: the event TransactionChanged. Who has no
// page open reads the tables; push and mail follow from the audit log, which outlives a crash.
transactions::Transactions::Listener tell_pages(notifications::Hub& hub);

// Whom an entry of the audit log is about, for the mail that follows from it.
notifications::FindRecipient find_recipient(users::Users& users);

// Writes events of people into the audit log, by their words.
class AuditJournal final : public users::Journal {
 public:
  explicit AuditJournal(audit::AuditLog& log) : log_(log) {}
  void record(soci::session& sql, const users::PersonEvent& event) override;

 private:
  audit::AuditLog& log_;
};

// Sends codes as mails; a known address gets the text that says so, which is as long.
class CodeMailer final : public users::Mail {
 public:
  CodeMailer(notifications::Mailer& mailer, infra::Clock& clock) : mailer_(mailer), clock_(clock) {}
  void queue(soci::session& sql, const users::CodeMail& mail) override;

 private:
  notifications::Mailer& mailer_;
  infra::Clock& clock_;
};

}  // namespace community::node
