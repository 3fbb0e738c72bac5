// SPDX-License-Identifier: Apache-2.0
// The tables of people. users, wallet_bindings and biometric_profiles carry the founders' names and columns. An empty
// text means that there is none; times are milliseconds since 1970, 0 for never; bytes are lower-case hex.
#include "community/users/people_store.hpp"

namespace community::users {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE users (
  user_id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  email_key TEXT NOT NULL UNIQUE,
  username TEXT NOT NULL,
  avatar_url TEXT NOT NULL,
  phone_number TEXT NOT NULL,
  locale TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  status TEXT NOT NULL
);
CREATE TABLE biometric_profiles (
  profile_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  biometric_type TEXT NOT NULL,
  template_hash TEXT NOT NULL,
  tee_template_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  is_active INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  last_verified_at BIGINT NOT NULL,
  name TEXT NOT NULL,
  credential_id TEXT NOT NULL UNIQUE,
  public_key TEXT NOT NULL,
  flags INTEGER NOT NULL,
  sign_count BIGINT NOT NULL,
  aaguid TEXT NOT NULL,
  transports TEXT NOT NULL,
  prf INTEGER NOT NULL,
  UNIQUE (user_id, biometric_type, device_id)
);
CREATE TABLE wallet_origins (
  wallet_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  request_id TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  factory TEXT NOT NULL,
  entry_point TEXT NOT NULL,
  proxy_init_code_hash TEXT NOT NULL,
  init_data TEXT NOT NULL,
  server_key TEXT NOT NULL,
  escape_key TEXT NOT NULL,
  recovery_file_saved INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, request_id)
);
CREATE TABLE wallet_bindings (
  binding_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  wallet_id TEXT NOT NULL REFERENCES wallet_origins (wallet_id) ON DELETE CASCADE,
  wallet_address TEXT NOT NULL,
  chain_id BIGINT NOT NULL,
  derivation_path TEXT NOT NULL,
  alias TEXT NOT NULL,
  is_primary INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  UNIQUE (wallet_address, chain_id)
);
CREATE INDEX wallet_bindings_user ON wallet_bindings (user_id);
CREATE INDEX wallet_bindings_wallet ON wallet_bindings (wallet_id);
CREATE TABLE sessions (
  session_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  profile_id TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  device_name TEXT NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_use ON sessions (last_used_at);
CREATE TABLE registrations (
  registration_id TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  username TEXT NOT NULL,
  locale TEXT NOT NULL,
  state INTEGER NOT NULL,
  mailed INTEGER NOT NULL,
  code_mac TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  challenge TEXT NOT NULL,
  answer_hash TEXT NOT NULL,
  session_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX registrations_email ON registrations (email_key, created_at);
CREATE INDEX registrations_expiry ON registrations (expires_at);
CREATE TABLE wallet_intents (
  tag TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  registers INTEGER NOT NULL,
  profile_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  name TEXT NOT NULL,
  credential_id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  flags INTEGER NOT NULL,
  sign_count BIGINT NOT NULL,
  aaguid TEXT NOT NULL,
  transports TEXT NOT NULL,
  prf INTEGER NOT NULL,
  escape_key TEXT NOT NULL,
  salt TEXT NOT NULL,
  alias TEXT NOT NULL,
  plan TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, request_id)
);
CREATE INDEX wallet_intents_age ON wallet_intents (created_at);
)sql";

// token_hash is of the token and the person's id, so that rows do not tell who shares a browser.
constexpr const char* kDevices = R"sql(
CREATE TABLE known_devices (
  user_id TEXT NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL,
  last_used_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, token_hash)
);
CREATE INDEX known_devices_age ON known_devices (last_used_at);
)sql";

}  // namespace

infra::MigrationSet user_migrations() {
  return {"users", {{1, "people, passkeys, wallets and sessions", kSchema}, {2, "known devices", kDevices}}};
}

}  // namespace community::users
