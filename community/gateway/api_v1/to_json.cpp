// SPDX-License-Identifier: Apache-2.0
#include "community/gateway/api_v1/to_json.hpp"

#include <chrono>
#include <cstdio>

#include "community/core/base64url.hpp"
#include "community/core/uuid.hpp"

namespace community::gateway::api_v1 {
namespace {

json::value time_or_null(std::int64_t time_ms) {
  if (time_ms == 0) return nullptr;
  return json::value(format_time(time_ms));
}

json::object to_json(const users::WalletOrigin& origin) {
  json::object out;
  out["factory"] = core::format_address(origin.factory);
  out["entryPoint"] = core::format_address(origin.entry_point);
  out["proxyInitCodeHash"] = core::to_hex(origin.proxy_init_code_hash);
  out["initData"] = core::to_hex(origin.init_data);
  out["serverKey"] = core::format_address(origin.server_key);
  out["escapeKey"] = core::format_address(origin.escape_key);
  return out;
}

}  // namespace

json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

std::string format_time(std::int64_t time_ms) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text.data();
}

json::object to_json(const users::Person& person) {
  json::object out;
  out["userId"] = person.user_id;
  out["email"] = person.email;
  out["username"] = text_or_null(person.username);
  out["avatarUrl"] = text_or_null(person.avatar_url);
  out["phoneNumber"] = text_or_null(person.phone_number);
  out["locale"] = person.locale;
  out["createdAt"] = format_time(person.created_ms);
  out["updatedAt"] = format_time(person.updated_ms);
  out["status"] = person.is_active ? "active" : "suspended";
  return out;
}

json::object to_json(const users::Session& session, const std::string& current_session_id) {
  json::object out;
  out["sessionId"] = session.session_id;
  out["createdAt"] = format_time(session.created_ms);
  out["lastUsedAt"] = format_time(session.last_used_ms);
  out["expiresAt"] = format_time(session.expires_ms);
  out["current"] = session.session_id == current_session_id;
  out["deviceName"] = text_or_null(session.client.device_name);
  out["address"] = session.client.address;
  return out;
}

json::object to_json(const users::PasskeyProfile& passkey) {
  json::object out;
  out["passkeyId"] = passkey.profile_id;
  out["name"] = passkey.name;
  out["credentialId"] = core::to_base64url(passkey.credential_id);
  out["publicKey"] = core::to_hex(passkey.public_key);
  out["deviceId"] = passkey.device_id;
  out["backupEligible"] = passkey.backup_eligible();
  out["backedUp"] = passkey.backed_up();
  json::array transports;
  for (const std::string& transport : passkey.transports) transports.emplace_back(transport);
  out["transports"] = std::move(transports);
  out["aaguid"] = core::format_uuid(passkey.aaguid);
  out["createdAt"] = format_time(passkey.created_ms);
  out["lastVerifiedAt"] = time_or_null(passkey.last_verified_ms);
  out["isActive"] = passkey.is_active;
  out["prf"] = passkey.prf;
  return out;
}

json::object to_json(const users::Wallet& wallet) {
  json::object out;
  out["walletId"] = wallet.wallet_id;
  out["alias"] = text_or_null(wallet.alias);
  out["isPrimary"] = wallet.is_primary;
  out["address"] = core::format_address(wallet.address);
  json::array accounts;
  for (const users::AccountOnChain& account : wallet.accounts) {
    json::object entry;
    entry["chainId"] = account.chain_id;
    entry["address"] = core::format_address(account.address);
    accounts.push_back(std::move(entry));
  }
  out["accounts"] = std::move(accounts);
  out["origin"] = nullptr;
  if (wallet.origin) out["origin"] = to_json(*wallet.origin);
  out["createdAt"] = format_time(wallet.created_ms);
  out["lastUsedAt"] = time_or_null(wallet.last_used_ms);
  out["recoveryFileSaved"] = wallet.recovery_file_saved;
  return out;
}

json::object logged_in(const users::Person& person, const users::Session& session, std::string csrf_token) {
  json::object out;
  out["user"] = to_json(person);
  out["csrfToken"] = std::move(csrf_token);
  out["session"] = to_json(session, session.session_id);
  return out;
}

HttpResponse answer_json(unsigned status, const json::object& body) {
  return infra::http_json(status, json::serialize(body));
}

HttpResponse no_content() {
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace community::gateway::api_v1
