// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/provision.hpp"

#include <cstdio>

#include "cmd/community-node/core_access.hpp"
#include "cmd/community-node/development.hpp"
#include "community/attestation/api/quote.hpp"
#include "community/bodies/factory.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/factory.hpp"
#include "community/keys/api/operator.hpp"
#include "community/keys/factory.hpp"

namespace community::node {

using infra::Task;

namespace {

constexpr infra::Milliseconds kCallTimeout{30'000};

int failed(const std::string& words) {
  std::fprintf(stderr, "community-node: %s\n", words.c_str());
  return 1;
}

void line(const char* what, const std::string& words) {
  std::printf("%-15s %s\n", what, words.c_str());
  std::fflush(stdout);
}

// The operator's public key: the given one, whose secret is elsewhere, or that of operator.key, made when missing.
infra::Result<std::array<std::uint8_t, 64>> operator_key(const KeysOptions& options, infra::Random& random) {
  if (!options.operator_public_key.empty()) {
    const auto key = core::parse_hex_array<64>(options.operator_public_key, core::HexPrefix::optional);
    core::Bytes point{4};
    if (key) core::append(point, *key);
    if (!key || !core::parse_public_key(point))
      return infra::fail(infra::ErrorCode::config_value,
                         "--operator-public-key takes 128 hexadecimal digits: x and y of a secp256k1 key");
    return *key;
  }
  const auto secret = secret_file(options.data_dir / "operator.key", random);
  if (!secret) return tl::unexpected(secret.error());
  const auto op = keys::Operator::from_secret(*secret);
  if (!op) return infra::fail(infra::ErrorCode::io, "operator.key is no key");
  return op->public_key();
}

Task<int> describe(bodies::Supervisor& body, keys::ConnectedKeyService& service, infra::Random& random) {
  if (auto attached = co_await body.attach(); !attached) co_return failed(attached.error().text());
  core::Bytes32 challenge;
  random.fill(challenge);
  const auto attested = co_await service.attest(challenge);
  if (!attested) co_return failed(attested.error().text());
  const protocol::AttestationStatement& statement = attested->statement;
  line("core", core::to_plain_hex(statement.core_id));
  line("protection", keys::describe_protection(static_cast<protocol::Body>(statement.body),
                                               static_cast<protocol::Protection>(statement.protection)));
  line("identity key", core::to_plain_hex(statement.identity_key));
  if (attested->quotes) {
    const auto& [application, system] = *attested->quotes;
    const attestation::AttestationKey key{core::to_bytes(application.modulus), application.exponent};
    line("attestation key", core::to_plain_hex(attestation::fingerprint(key)));
    line("application", core::to_plain_hex(application.measurement));
    line("system", core::to_plain_hex(system.measurement));
    std::printf(
        "\nThe attestation key vouches for this device from now on: give its fingerprint to whoever should\n"
        "recognise it (make manifest, --attestation-key; community-node attest, --pins).\n");
  }
  co_return 0;
}

Task<int> provision(bodies::Supervisor& body, keys::ConnectedKeyService& service, infra::Random& random,
                    std::array<std::uint8_t, 64> key) {
  const auto step = [](const std::string& words) { line("device", words); };
  const auto made = co_await body.provision(key, step);
  if (!made) co_return failed(made.error().text());
  const int code = co_await describe(body, service, random);
  co_await body.stop();
  co_return code;
}

}  // namespace

int provision_keys(const KeysOptions& options) {
  for (const auto& folder : {options.data_dir, options.places.folder})
    if (auto made = infra::ensure_private_directory(folder); !made) return failed(made.error().text());
  const auto lock = infra::DirectoryLock::take(options.data_dir);
  if (!lock) return failed(lock.error().text());
  if (auto finished = finish_reset(options.data_dir, options.places); !finished) return failed(finished.error().text());
  if (const auto present = bodies::present_body(options.places))
    return failed("this data folder has keys already, in the body '" + bodies::name(*present) +
                  "': `community-node keys status` describes them");
  const auto choice = bodies::choose(options.body, options.places);
  if (!choice) return failed(choice.error().text());
  line("body", bodies::name(choice->body));
  if (choice->body == protocol::Body::process)
    for (const std::string& reason : choice->weaker_because) line("", "NO TEE: " + reason);
  const auto random = infra::make_system_random();
  const auto key = operator_key(options, *random);
  if (!key) return failed(key.error().text());
  auto database = infra::Database::open(options.database, {keys::key_migrations()});
  if (!database) return failed(database.error().text());
  const auto service = keys::make_key_service({**database, *random});
  infra::EventLoop loop;
  bodies::Supervisor body(loop, choice->body, options.places, *service, {.timeout = kCallTimeout});
  return loop.block_on(provision(body, *service, *random, *key));
}

}  // namespace community::node
