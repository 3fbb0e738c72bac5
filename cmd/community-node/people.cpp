// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/people.hpp"

#include <soci/soci.h>

#include "community/core/uuid.hpp"
#include "community/infra/api/log.hpp"
#include "community/users/api/relying_party.hpp"

namespace community::node {
namespace {

constexpr std::string_view kLocalhost = "localhost";
constexpr infra::Milliseconds kMinute{60'000}, kHour{60 * 60'000};

// "localhost:9000" to "9000".
std::string port_of(const std::string& bind) { return bind.substr(bind.rfind(':') + 1); }

users::Rate rate(std::uint64_t tokens, infra::Milliseconds per) { return {static_cast<double>(tokens), per}; }

core::Uint256 gwei(std::uint64_t amount) { return *multiply(core::Uint256(amount), core::Uint256(1'000'000'000)); }

tl::unexpected<infra::Error> wrong(std::string message) {
  return infra::fail(infra::ErrorCode::config_value, std::move(message));
}

}  // namespace

infra::Result<PeoplesParty> relying_party(const RunOptions& options) {
  PeoplesParty party{{options.people.rp_id, options.people.rp_name}, options.people.origin};
  if (party.relying_party.id.empty() != party.origin.empty())
    return wrong("security.rp_id and security.origin belong together: give both or neither");
  if (party.origin.empty() && options.development) {
    party.relying_party.id = kLocalhost;
    party.origin = "http://localhost:" + port_of(options.http_bind);
    // As browsers write it.
    if (party.origin.ends_with(":80")) party.origin.resize(party.origin.size() - 3);
  }
  if (const auto why = users::misfit(party.relying_party.id, party.origin))
    return wrong("security.rp_id and security.origin: " + *why);
  return party;
}

infra::Result<gateway::ApiOptions> api_options(const RunOptions& options, const PeoplesParty& party) {
  const RunOptions::People& people = options.people;
  gateway::ApiOptions api;
  api.relying_party = party.relying_party;
  api.origin = party.origin;
  api.limits.requests = rate(people.requests_per_minute, kMinute);
  api.limits.registrations = rate(people.registrations_per_hour, kHour);
  api.limits.attempts = rate(people.attempts_per_minute, kMinute);
  api.limits.person = rate(people.person_requests_per_minute, kMinute);
  for (const std::string& text : people.trusted_proxies) {
    const auto range = users::AddressRange::parse(text);
    if (!range) return wrong("node.trusted_proxies: " + text + " is neither an address nor a range as 10.0.0.0/8");
    api.trusted_proxies.push_back(*range);
  }
  for (const RunOptions::People::Key& key : people.api_keys) {
    const auto hash = core::parse_bytes32(key.sha256, core::HexPrefix::optional);
    if (!hash) return wrong("api_keys." + key.name + ".sha256 is no SHA-256 in hexadecimal");
    api.keys.push_back({key.name, *hash, rate(key.requests_per_minute, kMinute)});
  }
  return api;
}

users::UsersOptions users_options(const RunOptions& options, const PeoplesParty& party,
                                  std::vector<users::AccountChain> chains) {
  users::UsersOptions out;
  out.rp_id = party.relying_party.id;
  out.origin = party.origin;
  out.chains = std::move(chains);
  out.rules.daily_limit = gwei(options.people.daily_limit);
  out.rules.gas_cap = gwei(options.people.gas_cap);
  out.rules.recovery_delay_s = static_cast<std::uint32_t>(options.people.recovery_delay.count() / 1'000);
  out.session_duration = options.people.session_duration;
  return out;
}

transactions::TransactionsOptions transactions_options(const RunOptions& options, const PeoplesParty& party) {
  transactions::TransactionsOptions out;
  out.rp_id = party.relying_party.id;
  out.origin = party.origin;
  if (options.people.person_daily_limit != 0) out.daily_limit = gwei(options.people.person_daily_limit);
  out.prepared_per_minute = options.people.prepared_per_minute;
  out.signed_per_minute = options.people.signed_per_minute;
  return out;
}

transactions::Transactions::Listener watch_deployed(AlarmsByChain alarms) {
  return [alarms = std::move(alarms)](const transactions::Transaction& transaction) -> infra::Task<void> {
    const auto* operation = std::get_if<transactions::PreparedOperation>(&transaction.content);
    const bool deploys = operation != nullptr && operation->userop.factory;
    const auto record = core::parse_uuid(transaction.wallet_id);
    // From the signature on, and with each state that follows: a node that is killed before it was told of one is told
    // of the next.
    const bool is_void = transaction.state > transactions::State::failed;
    if (!deploys || !record || transaction.signed_ms == 0 || is_void) co_return;
    if (const auto followed = co_await alarms.at(transaction.chain_id)->follow(transaction.account, *record); !followed)
      infra::log_warning("an account is not watched yet", {{"why", followed.error().text()}});
  };
}

std::function<infra::Task<void>(std::uint64_t, core::Address, keys::RecordId)> follow_arrived(AlarmsByChain alarms) {
  return [alarms = std::move(alarms)](std::uint64_t chain_id, core::Address account,
                                      keys::RecordId wallet) -> infra::Task<void> {
    if (const auto followed = co_await alarms.at(chain_id)->follow(account, wallet); !followed)
      infra::log_warning("an account that arrived is not watched yet", {{"why", followed.error().text()}});
  };
}

transactions::Transactions::Listener tell_pages(notifications::Hub& hub) {
  return [&hub](const transactions::Transaction& transaction) -> infra::Task<void> {
    core::json::object data;
    data["transactionId"] = transaction.transaction_id;
    data["walletId"] = transaction.wallet_id;
    data["chainId"] = transaction.chain_id;
    data["state"] = transactions::name(transaction.state);
    hub.publish(transaction.user_id, "TransactionChanged", data);
    co_return;
  };
}

namespace {

// The session's device, or the passkey's, as its person called it. Gone by now: nobody can tell any more.
infra::Task<users::Result<std::string>> device_of(users::Users& users, std::string user_id,
                                                  core::json::object payload) {
  const auto text = [&payload](const char* member) {
    const core::json::value* value = payload.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  if (const std::string id = text("sessionId"); !id.empty()) {
    const auto sessions = co_await users.sessions(user_id);
    if (!sessions) co_return tl::unexpected(sessions.error());
    for (const users::Session& session : *sessions)
      if (session.session_id == id) co_return session.client.device_name;
  }
  if (const std::string id = text("passkeyId"); !id.empty()) {
    const auto passkeys = co_await users.passkeys(user_id);
    if (!passkeys) co_return tl::unexpected(passkeys.error());
    for (const users::PasskeyProfile& passkey : *passkeys)
      if (passkey.profile_id == id) co_return passkey.name;
  }
  co_return std::string();
}

}  // namespace

notifications::FindRecipient find_recipient(users::Users& users) {
  using Found = notifications::Result<std::optional<notifications::Recipient>>;
  return [&users](const audit::Entry& entry) -> infra::Task<Found> {
    const auto person = co_await users.person(entry.subject);
    if (!person) co_return notifications::fail(notifications::ErrorCode::storage_failed);
    if (!*person) co_return Found(std::nullopt);
    auto payload = core::parse_json(entry.payload ? std::string_view(entry.payload->text) : std::string_view("{}"));
    core::json::object members;
    if (payload && payload->is_object()) members = std::move(payload->get_object());
    const auto device = co_await device_of(users, entry.subject, std::move(members));
    if (!device) co_return notifications::fail(notifications::ErrorCode::storage_failed);
    co_return Found(notifications::Recipient{(*person)->email, (*person)->locale, *device});
  };
}

void AuditJournal::record(soci::session& sql, const users::PersonEvent& event) {
  audit::AuditEvent entry;
  const auto word = audit::parse_event_name(name(event.event));
  if (!word) throw soci::soci_error("the audit log does not know the event " + std::string(name(event.event)));
  entry.event = *word;
  entry.subject = event.user_id;
  entry.payload = event.details;
  entry.time_ms = event.time_ms;
  if (const auto recorded = log_.record(sql, entry); !recorded)
    throw soci::soci_error("the audit log refused an event: " + std::string(name(recorded.error().code)));
}

void CodeMailer::queue(soci::session& sql, const users::CodeMail& mail) {
  constexpr std::int64_t kMinute_ms = 60'000;
  notifications::Mail out;
  out.to = mail.to;
  out.text = mail.already_registered ? notifications::MailText::registration_repeated
                                     : notifications::MailText::registration_code;
  out.language = mail.locale;
  out.values["code"] = mail.code;
  out.values["minutes"] = std::to_string(std::max<std::int64_t>(1, (mail.expires_ms - clock_.now_ms()) / kMinute_ms));
  out.now_ms = clock_.now_ms();
  out.expires_ms = mail.expires_ms;
  // The text of the refusal may hold the address, which belongs into no log.
  if (const auto queued = mailer_.queue(sql, out); !queued)
    throw soci::soci_error("a mail was not taken: " + std::string(name(queued.error().code)));
}

}  // namespace community::node
