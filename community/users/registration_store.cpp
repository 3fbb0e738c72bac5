// SPDX-License-Identifier: Apache-2.0
// Registrations and wallet intents: what is on its way.
#include "community/users/people_store.hpp"
#include "community/users/rows.hpp"
#include "community/users/transports.hpp"

namespace community::users::store {
namespace {

namespace json = core::json;

// What an intent decided beyond columns of its own, as JSON.
std::string write_plan(const WalletIntent& intent) {
  json::object plan;
  plan["dailyLimit"] = core::format_decimal(intent.rules.daily_limit);
  plan["gasCap"] = core::format_decimal(intent.rules.gas_cap);
  plan["recoveryDelaySeconds"] = intent.rules.recovery_delay_s;
  json::array chains;
  for (const AccountChain& chain : intent.chains) {
    json::object entry;
    entry["chainId"] = chain.chain_id;
    entry["factory"] = core::to_hex(chain.factory);
    entry["entryPoint"] = core::to_hex(chain.entry_point);
    entry["proxyInitCodeHash"] = core::to_hex(chain.proxy_init_code_hash);
    chains.push_back(std::move(entry));
  }
  plan["chains"] = std::move(chains);
  return json::serialize(plan);
}

template <class T>
T expect(core::Result<T> value) {
  if (!value) throw soci::soci_error("a wallet intent is damaged: " + value.error().text());
  return std::move(*value);
}

std::uint64_t small_number(const json::object& object, std::string_view member) {
  const auto number = expect(core::number_member(object, member)).to_u64();
  if (!number) throw soci::soci_error("a wallet intent is damaged: a number is too large");
  return *number;
}

void read_plan(const std::string& text, WalletIntent& intent) {
  const json::value value = expect(core::parse_json(text));
  const json::object* plan = value.if_object();
  const json::value* chains = plan == nullptr ? nullptr : core::find_member(*plan, "chains");
  if (chains == nullptr || !chains->is_array()) throw soci::soci_error("a wallet intent is damaged");
  intent.rules.daily_limit = expect(core::number_member(*plan, "dailyLimit"));
  intent.rules.gas_cap = expect(core::number_member(*plan, "gasCap"));
  intent.rules.recovery_delay_s = static_cast<std::uint32_t>(small_number(*plan, "recoveryDelaySeconds"));
  for (const json::value& entry : chains->get_array()) {
    if (!entry.is_object()) throw soci::soci_error("a wallet intent is damaged");
    const json::object& chain = entry.get_object();
    intent.chains.push_back({small_number(chain, "chainId"), expect(core::address_member(chain, "factory")),
                             expect(core::address_member(chain, "entryPoint")),
                             expect(core::bytes32_member(chain, "proxyInitCodeHash"))});
  }
}

constexpr const char* kIntentColumns =
    "SELECT tag, user_id, request_id, registers, profile_id, device_id, name, credential_id, public_key, flags, "
    "sign_count, aaguid, transports, prf, escape_key, salt, alias, plan, created_at FROM wallet_intents ";

struct IntentRow {
  std::string tag, user_id, request_id, profile_id, device_id, name, credential_id, public_key, aaguid, transports;
  std::string escape_key, salt, alias, plan;
  int registers = 0, flags = 0, prf = 0;
  long long sign_count = 0, created = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(tag));
    statement.exchange(soci::into(user_id));
    statement.exchange(soci::into(request_id));
    statement.exchange(soci::into(registers));
    statement.exchange(soci::into(profile_id));
    statement.exchange(soci::into(device_id));
    statement.exchange(soci::into(name));
    statement.exchange(soci::into(credential_id));
    statement.exchange(soci::into(public_key));
    statement.exchange(soci::into(flags));
    statement.exchange(soci::into(sign_count));
    statement.exchange(soci::into(aaguid));
    statement.exchange(soci::into(transports));
    statement.exchange(soci::into(prf));
    statement.exchange(soci::into(escape_key));
    statement.exchange(soci::into(salt));
    statement.exchange(soci::into(alias));
    statement.exchange(soci::into(plan));
    statement.exchange(soci::into(created));
  }

  WalletIntent intent() const {
    WalletIntent out;
    out.tag = fixed<16>(tag);
    out.user_id = user_id;
    out.request_id = request_id;
    out.registers = registers != 0;
    PasskeyProfile& passkey = out.passkey;
    passkey.profile_id = profile_id;
    passkey.user_id = user_id;
    passkey.name = name;
    passkey.device_id = device_id;
    passkey.credential_id = bytes(credential_id);
    passkey.public_key = fixed<64>(public_key);
    passkey.flags = static_cast<std::uint8_t>(flags);
    passkey.sign_count = static_cast<std::uint32_t>(sign_count);
    passkey.aaguid = fixed<16>(aaguid);
    passkey.transports = split_transports(transports);
    passkey.prf = prf != 0;
    passkey.created_ms = created;
    out.escape_key = fixed<20>(escape_key);
    out.salt = fixed<32>(salt);
    out.alias = alias;
    out.created_ms = created;
    read_plan(plan, out);
    return out;
  }
};

// What the statement, whose parameters are bound, finds.
std::vector<WalletIntent> fetch(soci::statement& statement, const std::string& rest) {
  IntentRow row;
  row.bind(statement);
  statement.alloc();
  statement.prepare(kIntentColumns + rest);
  statement.define_and_bind();
  statement.execute();
  std::vector<WalletIntent> found;
  while (statement.fetch()) found.push_back(row.intent());
  return found;
}

std::optional<WalletIntent> first(std::vector<WalletIntent> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace

std::optional<Registration> registration(soci::session& sql, const std::string& id) {
  Registration out;
  std::string code_mac, challenge, answer_hash;
  int state = 0;
  long long created = 0, expires = 0;
  sql << "SELECT user_id, email, email_key, username, locale, state, code_mac, attempts, challenge, answer_hash, "
         "session_id, created_at, expires_at FROM registrations WHERE registration_id = :id",
      soci::use(id), soci::into(out.user_id), soci::into(out.email.text), soci::into(out.email.key),
      soci::into(out.username), soci::into(out.locale), soci::into(state), soci::into(code_mac),
      soci::into(out.attempts), soci::into(challenge), soci::into(answer_hash), soci::into(out.session_id),
      soci::into(created), soci::into(expires);
  if (!sql.got_data()) return std::nullopt;
  out.registration_id = id;
  out.state = static_cast<RegistrationState>(state);
  out.code_mac = fixed<32>(code_mac);
  out.challenge = fixed<32>(challenge);
  out.answer_hash = fixed<32>(answer_hash);
  out.created_ms = created;
  out.expires_ms = expires;
  return out;
}

void insert(soci::session& sql, const Registration& r) {
  const int state = static_cast<int>(r.state);
  const std::string code_mac = hex(r.code_mac), challenge = hex(r.challenge), answer_hash = hex(r.answer_hash);
  const long long created = r.created_ms, expires = r.expires_ms;
  const int mailed = r.mailed ? 1 : 0;
  sql << "INSERT INTO registrations (registration_id, user_id, email, email_key, username, locale, state, mailed, "
         "code_mac, attempts, challenge, answer_hash, session_id, created_at, expires_at) VALUES (:id, :user, :email, "
         ":key, :name, :locale, :state, :mailed, :mac, :attempts, :challenge, :answer, :session, :created, :expires)",
      soci::use(r.registration_id), soci::use(r.user_id), soci::use(r.email.text), soci::use(r.email.key),
      soci::use(r.username), soci::use(r.locale), soci::use(state), soci::use(mailed), soci::use(code_mac),
      soci::use(r.attempts), soci::use(challenge), soci::use(answer_hash), soci::use(r.session_id), soci::use(created),
      soci::use(expires);
}

void update(soci::session& sql, const Registration& r) {
  const int state = static_cast<int>(r.state);
  const std::string challenge = hex(r.challenge), answer_hash = hex(r.answer_hash);
  const long long expires = r.expires_ms;
  sql << "UPDATE registrations SET state = :state, attempts = :attempts, challenge = :challenge, "
         "answer_hash = :answer, session_id = :session, expires_at = :expires WHERE registration_id = :id",
      soci::use(state), soci::use(r.attempts), soci::use(challenge), soci::use(answer_hash), soci::use(r.session_id),
      soci::use(expires), soci::use(r.registration_id);
}

long long codes_since(soci::session& sql, const std::string& email_key, std::int64_t since_ms) {
  const long long since = since_ms;
  long long count = 0;
  sql << "SELECT COUNT(*) FROM registrations WHERE email_key = :key AND created_at > :since AND mailed = 1",
      soci::use(email_key), soci::use(since), soci::into(count);
  return count;
}

bool is_being_created(soci::session& sql, const std::string& email_key) {
  const int creating = static_cast<int>(RegistrationState::creating);
  long long count = 0;
  sql << "SELECT COUNT(*) FROM registrations WHERE email_key = :key AND state = :state", soci::use(email_key),
      soci::use(creating), soci::into(count);
  return count != 0;
}

bool has_account(soci::session& sql, const std::string& email_key) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM users WHERE email_key = :key", soci::use(email_key), soci::into(count);
  return count != 0;
}

void remove_expired_registrations(soci::session& sql, std::int64_t now_ms) {
  const long long now = now_ms;
  const int creating = static_cast<int>(RegistrationState::creating);
  sql << "DELETE FROM registrations WHERE expires_at <= :now AND state <> :creating", soci::use(now),
      soci::use(creating);
}

long long count_registrations(soci::session& sql) {
  long long count = 0;
  sql << "SELECT COUNT(*) FROM registrations", soci::into(count);
  return count;
}

void insert(soci::session& sql, const WalletIntent& intent) {
  const PasskeyProfile& passkey = intent.passkey;
  const std::string tag = hex(intent.tag), credential_id = hex(passkey.credential_id);
  const std::string public_key = hex(passkey.public_key), aaguid = hex(passkey.aaguid);
  const std::string transports = join_transports(passkey.transports), escape_key = hex(intent.escape_key);
  const std::string salt = hex(intent.salt), plan = write_plan(intent);
  const int registers = intent.registers ? 1 : 0, flags = passkey.flags, prf = passkey.prf ? 1 : 0;
  const long long sign_count = passkey.sign_count, created = intent.created_ms;
  sql << "INSERT INTO wallet_intents (tag, user_id, request_id, registers, profile_id, device_id, name, credential_id, "
         "public_key, flags, sign_count, aaguid, transports, prf, escape_key, salt, alias, plan, created_at) VALUES "
         "(:tag, :user, :request, :registers, :profile, :device, :name, :credential, :key, :flags, :count, :aaguid, "
         ":transports, :prf, :escape, :salt, :alias, :plan, :created)",
      soci::use(tag), soci::use(intent.user_id), soci::use(intent.request_id), soci::use(registers),
      soci::use(passkey.profile_id), soci::use(passkey.device_id), soci::use(passkey.name), soci::use(credential_id),
      soci::use(public_key), soci::use(flags), soci::use(sign_count), soci::use(aaguid), soci::use(transports),
      soci::use(prf), soci::use(escape_key), soci::use(salt), soci::use(intent.alias), soci::use(plan),
      soci::use(created);
}

std::optional<WalletIntent> intent(soci::session& sql, const keys::WalletTag& tag) {
  const std::string wanted = hex(tag);
  soci::statement statement(sql);
  statement.exchange(soci::use(wanted));
  return first(fetch(statement, "WHERE tag = :tag"));
}

std::optional<WalletIntent> intent_of_request(soci::session& sql, const std::string& user_id,
                                              const std::string& request_id) {
  soci::statement statement(sql);
  statement.exchange(soci::use(user_id));
  statement.exchange(soci::use(request_id));
  return first(fetch(statement, "WHERE user_id = :user AND request_id = :request"));
}

std::vector<WalletIntent> intents(soci::session& sql, std::size_t most) {
  const long long limit = static_cast<long long>(most);
  soci::statement statement(sql);
  statement.exchange(soci::use(limit));
  return fetch(statement, "ORDER BY created_at, tag LIMIT :most");
}

void remove_intent(soci::session& sql, const keys::WalletTag& tag) {
  const std::string wanted = hex(tag);
  sql << "DELETE FROM wallet_intents WHERE tag = :tag", soci::use(wanted);
}

}  // namespace community::users::store
