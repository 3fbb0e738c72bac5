// SPDX-License-Identifier: Apache-2.0
// Web apps of others that a person lets use an account: permissions by origin, and tokens by which an app brings calls
// of a session grant on chain without another touch. All calls belong to the thread of the loop that the object was
// made on. Times are milliseconds since 1970.
#pragma once
#include "community/apps/api/error.hpp"
#include "community/infra/api/task.hpp"
#include "community/transactions/api/transactions.hpp"

namespace community::apps {

using core::Bytes32;
using infra::Task;
using transactions::Transaction;

// --- limits ----------------------------------------------------------------------------------------------------------

// Of a person; about 300 bytes each.
inline constexpr std::size_t kMaxPermissions = 64;
// Of a permission; the oldest ends when there is one more.
inline constexpr std::size_t kMaxTokens = 8;
// Calls of a permission whose status the app can ask; the oldest go.
inline constexpr std::size_t kMaxNoted = 256;
// Calls that a permission brings under its tokens: below what a person may sign in a minute, so that an app cannot use
// that up.
inline constexpr double kCallsPerMinute = 20;
// As long as a grant at the most.
inline constexpr infra::Milliseconds kTokenLife{2 * 60 * 60'000};

// --- values ----------------------------------------------------------------------------------------------------------

struct ConnectRequest {
  // As the browser told it to the node's page; is_app_origin.
  std::string origin;
  std::string wallet_id;
  std::uint64_t chain_id = 0;
};

struct TokenState {
  Bytes32 grant_id{};
  std::int64_t expires_ms = 0;
};

struct Permission {
  std::string permission_id, user_id;
  std::string origin;
  std::string wallet_id;
  core::Address account{};
  std::uint64_t chain_id = 0;
  std::int64_t created_ms = 0;
  // 0: no call since.
  std::int64_t last_used_ms = 0;
  // Those that are not over by their time.
  std::vector<TokenState> tokens;
};

struct NewToken {
  // base64url of 32 bytes; leaves the node once.
  std::string token;
  std::int64_t expires_ms = 0;
};

// A request that an app's own script makes.
struct AppRequest {
  // Of the header that the browser sets.
  std::string origin;
  // As sent; nothing is known of it.
  std::string token;
  // Chosen by the app, a UUID: the same one again is the same request.
  std::string request_id;
  std::vector<accounts::Call> calls;
};

struct CallsStatus {
  Transaction transaction;
  // Once it is in a block.
  std::optional<transactions::UseropReceipt> receipt;
};

class Apps {
 public:
  virtual ~Apps() = default;

  // The person lets an origin see this account and ask for signatures. Again with another wallet: the permission is for
  // that one, and its tokens end. field_invalid, not_found, too_many_apps.
  virtual Task<Result<Permission>> connect(std::string user_id, ConnectRequest request) = 0;
  // Latest first.
  virtual Task<Result<std::vector<Permission>>> permissions(std::string user_id) = 0;
  // Its tokens and noted calls go with it. not_found.
  virtual Task<Result<void>> disconnect(std::string user_id, std::string permission_id) = 0;

  // After the person made the grant, for the wallet of the permission: it ends with this session. not_found.
  virtual Task<Result<NewToken>> issue_token(std::string user_id, std::string session_id, std::string permission_id,
                                             Bytes32 grant_id) = 0;
  // What the person signed for this app: the app may ask what became of it. not_found.
  virtual Task<Result<void>> note_calls(std::string user_id, std::string permission_id, std::string transaction_id) = 0;

  // Without the person: prepared under the token's grant, signed by the trusted core, brought to the pool. On disk when
  // it returns. token_invalid, origin_wrong, too_many_requests, refused.
  virtual Task<Result<Transaction>> send_calls(AppRequest request) = 0;
  // By the id that the app was told, for the origin that it was told to. not_found.
  virtual Task<Result<CallsStatus>> calls_status(std::string origin, std::string transaction_id) = 0;
};

}  // namespace community::apps
