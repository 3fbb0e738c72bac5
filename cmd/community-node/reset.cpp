// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/reset.hpp"

#include <cstdio>
#include <iostream>

#include "community/bodies/factory.hpp"
#include "community/infra/api/database_config.hpp"
#include "community/infra/api/files.hpp"

namespace community::node {

namespace {

constexpr std::string_view kWord = "erase";

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

bool confirmed(const KeysOptions& options) {
  std::printf(
      "This erases the keys in %s for good%s: every account of this node loses its server key, and every phrase is "
      "gone\nthat has no backup elsewhere. Type %.*s to go on: ",
      options.places.folder.c_str(), options.with_database ? ", and the node's database" : "",
      static_cast<int>(kWord.size()), kWord.data());
  std::fflush(stdout);
  std::string line;
  return std::getline(std::cin, line) && line == kWord;
}

}  // namespace

int reset_keys(const KeysOptions& options) {
  std::error_code ignored;
  if (!exists(options.places.folder, ignored))
    return failed("there are no keys in " + options.data_dir.string() + ": nothing to erase");
  const auto lock = infra::DirectoryLock::take(options.data_dir);
  if (!lock) return failed(lock.error().text() + "; stop the node first");
  // An erasure that was begun is confirmed already, and nothing is left of its keys to go back to.
  const auto finished = bodies::finish_erasing(options.places, options.data_dir / "node.db");
  if (!finished) return failed(finished.error().text());
  if (*finished) {
    std::printf("A factory reset that was cut off is finished now.\n");
    return 0;
  }
  if (bodies::present_body(options.places) == protocol::Body::optee_device)
    return failed(
        "these keys are in a board's secure storage, which the normal world cannot erase key by key: erase the board's "
        "secure storage (its RPMB or /var/lib/tee, as its maker says) and then channel.key and body in " +
        options.places.folder.string());
  if (options.with_database && infra::is_postgresql(options.database.url))
    return failed(
        "--database erases a database file, and this node's database is on PostgreSQL: say it without --database, and "
        "drop the database there (dropdb NAME)");
  if (!options.yes && !confirmed(options)) return failed("nothing was erased");
  if (auto erased = bodies::erase_keys(options.places, options.data_dir / "node.db", options.with_database); !erased)
    return failed(erased.error().text() + ". The next start, or this command again, goes on");
  std::printf("The keys are erased. %s\n",
              options.with_database ? "The database is erased too."
                                    : "The database stays: only a core restored from a backup opens its records.");
  return 0;
}

}  // namespace community::node
