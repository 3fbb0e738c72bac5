// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/core_access.hpp"

#include <cstdio>

#include "cmd/community-node/development.hpp"
#include "community/bodies/factory.hpp"
#include "community/control/api/control.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/keys/factory.hpp"

namespace community::node {

using infra::Task;
using Work = std::function<Task<int>(CoreAccess&)>;

namespace {

// A restore verifies many quotes, and a device makes two for each holder.
constexpr infra::Milliseconds kCallTimeout{60'000};

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

Task<int> attached(bodies::Supervisor& body, CoreAccess& access, const Work& work) {
  if (auto done = co_await body.attach(); !done) co_return failed(done.error().text());
  const int code = co_await work(access);
  co_await body.stop();
  co_return code;
}

Task<int> through_door(CoreAccess& access, const Work& work) { co_return co_await work(access); }

}  // namespace

infra::Result<keys::Operator> read_operator_key(const std::filesystem::path& file) {
  if (!exists(file))
    return infra::fail(infra::ErrorCode::io, "this needs the operator's key, and there is none in " + file.string() +
                                                 ": put it there for the moment, or say --operator-key FILE");
  const auto random = infra::make_system_random();
  const auto secret = secret_file(file, *random);
  if (!secret) return tl::unexpected(secret.error());
  const auto op = keys::Operator::from_secret(*secret);
  if (!op) return infra::fail(infra::ErrorCode::io, file.string() + " is no key");
  return *op;
}

infra::Result<void> finish_reset(const std::filesystem::path& data_dir, bodies::Places places) {
  places.folder = data_dir / "keys";
  const auto finished = bodies::finish_erasing(places, data_dir / "node.db");
  if (!finished) return tl::unexpected(finished.error());
  if (*finished) std::printf("A factory reset that was cut off is finished now: the keys of before are gone.\n");
  return {};
}

int with_core_access(const KeysOptions& options, const Work& work) {
  infra::EventLoop loop;
  const auto random = infra::make_system_random();
  const auto clock = infra::make_system_clock();
  const auto http = infra::make_http_client({});
  const auto lock = infra::DirectoryLock::take(options.data_dir);
  if (!lock) {
    auto place = control::read_control_place(options.data_dir);
    if (!place) return failed(lock.error().text());
    control::ControlClient node(*http, std::move(*place));
    CoreAccess access{node, node, nullptr, *http, *clock, *random};
    return loop.block_on(through_door(access, work));
  }
  if (auto finished = finish_reset(options.data_dir, options.places); !finished) return failed(finished.error().text());
  if (!exists(options.data_dir / "keys/channel.key"))
    return failed("no trusted core in " + options.data_dir.string() + " yet: `community-node keys provision` makes it");
  auto database = infra::Database::open(options.database, {keys::key_migrations()});
  if (!database) return failed(database.error().text());
  const auto service = keys::make_key_service({**database, *random});
  const auto choice = bodies::choose(options.body, options.places);
  if (!choice) return failed(choice.error().text());
  bodies::Supervisor body(loop, choice->body, options.places, *service, {.timeout = kCallTimeout});
  CoreAccess access{*service, *service, service.get(), *http, *clock, *random};
  return loop.block_on(attached(body, access, work));
}

}  // namespace community::node
