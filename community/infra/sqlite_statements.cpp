// SPDX-License-Identifier: Apache-2.0
// A statement belongs to whoever executes it and goes back, reset and without its bindings, when it is done: so the
// same text may be under way twice. SQLite compiles a kept one anew by itself when the schema has changed, but only as
// it begins, after SOCI has asked for its columns: what changes a schema is executed before anything else asks, and the
// connection that does so keeps nothing of before.
#include "community/infra/sqlite_statements.hpp"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace community::infra {
namespace {

using Statement = sqlite_api::sqlite3_stmt;

// Of one connection; 5 kB each. The program has about 300 texts, and a connection meets fewer.
constexpr std::size_t kMostKept = 256;

// A PRAGMA may act while it is compiled, and others change the schema.
bool is_worth_keeping(std::string_view query) {
  for (const std::string_view begin :
       {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})
    if (query.starts_with(begin)) return true;
  return false;
}

class KeepingSession final : public soci::sqlite3_session_backend {
 public:
  using sqlite3_session_backend::sqlite3_session_backend;
  // Before the connection is closed, which would not end with a statement left.
  ~KeepingSession() override { forget(); }

  void forget() {
    for (const Kept& one : kept_) sqlite_api::sqlite3_finalize(one.statement);
    kept_.clear();
    places_.clear();
  }

  soci::sqlite3_statement_backend* make_statement_backend() override;

  // Null when none is there.
  Statement* take(const std::string& query) {
    const auto found = places_.find(query);
    if (found == places_.end()) return nullptr;
    Statement* statement = found->second->statement;
    kept_.erase(found->second);
    places_.erase(found);
    return statement;
  }
  void put(std::string query, Statement* statement) {
    // What the last step failed with was told by it.
    sqlite_api::sqlite3_reset(statement);
    sqlite_api::sqlite3_clear_bindings(statement);
    if (places_.contains(query)) {
      sqlite_api::sqlite3_finalize(statement);
      return;
    }
    kept_.push_front({query, statement});
    places_.emplace(std::move(query), kept_.begin());
    if (kept_.size() <= kMostKept) return;
    sqlite_api::sqlite3_finalize(kept_.back().statement);
    places_.erase(kept_.back().query);
    kept_.pop_back();
  }

 private:
  struct Kept {
    std::string query;
    Statement* statement = nullptr;
  };
  // Used last, first.
  std::list<Kept> kept_;
  std::unordered_map<std::string, std::list<Kept>::iterator> places_;
};

class KeepingStatement final : public soci::sqlite3_statement_backend {
 public:
  explicit KeepingStatement(KeepingSession& session) : sqlite3_statement_backend(session), keeping_(session) {}

  void prepare(const std::string& query, soci::details::statement_type type) override {
    clean_up();
    if (!is_worth_keeping(query)) {
      if (!query.starts_with("PRAGMA")) keeping_.forget();
      sqlite3_statement_backend::prepare(query, type);
      return;
    }
    stmt_ = keeping_.take(query);
    if (stmt_ == nullptr) compile(query);
    query_ = query;
    databaseReady_ = true;
  }

  void clean_up() override {
    if (stmt_ != nullptr && !query_.empty()) {
      keeping_.put(std::move(query_), stmt_);
      stmt_ = nullptr;
      databaseReady_ = false;
    }
    query_.clear();
    sqlite3_statement_backend::clean_up();
  }

 private:
  void compile(const std::string& query) {
    const int code = sqlite_api::sqlite3_prepare_v3(keeping_.conn_, query.c_str(), static_cast<int>(query.size()),
                                                    SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr);
    if (code == SQLITE_OK) return;
    stmt_ = nullptr;
    throw soci::sqlite3_soci_error(std::string("cannot prepare: ") + sqlite_api::sqlite3_errmsg(keeping_.conn_), code);
  }

  KeepingSession& keeping_;
  // Empty while what is prepared is not to be kept.
  std::string query_;
};

soci::sqlite3_statement_backend* KeepingSession::make_statement_backend() { return new KeepingStatement(*this); }

class KeepingFactory final : public soci::backend_factory {
 public:
  soci::details::session_backend* make_session(const soci::connection_parameters& parameters) const override {
    return new KeepingSession(parameters);
  }
};

}  // namespace

const soci::backend_factory& keeping_sqlite() {
  static const KeepingFactory factory;
  return factory;
}

}  // namespace community::infra
