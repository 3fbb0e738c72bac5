// SPDX-License-Identifier: Apache-2.0
#include "cmd/community-node/attest.hpp"

#include <boost/json.hpp>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "community/attestation/api/verifier.hpp"
#include "community/infra/api/files.hpp"
#include "community/infra/api/log.hpp"
#include "community/infra/factory.hpp"
#include "community/wallet/api/files.hpp"

namespace community::node {

namespace fs = std::filesystem;
namespace json = boost::json;
using attestation::Verdict;
using attestation::Voucher;

namespace {

constexpr int kHolds = 0, kDoesNot = 1, kUsage = 2;
// Two quotes take half a second in an emulator, a few on a busy machine, and others may be asking.
constexpr infra::Milliseconds kPatience{60'000};

constexpr const char* kFooter =
    "Exit status 0 only if all of this holds: the quote is genuine for this challenge; both measurements, of the\n"
    "application and of the TEE core, are those of one image of the manifest; the attestation key is pinned, or, "
    "without "
    "pins,\nlisted in the manifest; and there is a TEE, emulated or not. What cannot be checked, because no manifest "
    "or "
    "nobody who\nvouches for the key was named, does not hold. Else 1; 2 if the command line is wrong.";

struct Arguments {
  std::string challenge;
  fs::path manifest, pins, quote, save;
  std::string url = "http://localhost:9000";
  bool pin = false;
  bool as_json = false;
};
using Shared = std::shared_ptr<Arguments>;

int failed(const std::string& words, int status = kDoesNot) {
  std::cerr << "community-node: " << words << "\n";
  return status;
}

struct Inputs {
  core::Bytes32 challenge{};
  std::optional<attestation::Manifest> manifest;
  std::optional<attestation::Pins> pins;
};

// Manifest and pins; the words of what cannot be read.
infra::Result<void> read_lists(const Arguments& in, Inputs& out) {
  if (!in.manifest.empty()) {
    const auto text = infra::read_file(in.manifest, attestation::kMaxListDocument + 1);
    if (!text) return tl::unexpected(text.error());
    auto manifest = attestation::parse_manifest(*text);
    if (!manifest)
      return infra::fail(infra::ErrorCode::malformed, in.manifest.string() + ": " + manifest.error().text());
    out.manifest = std::move(*manifest);
  }
  if (in.pins.empty()) return {};
  std::error_code error;
  if (in.pin && !fs::exists(in.pins, error)) {
    out.pins.emplace();
    return {};
  }
  const auto text = infra::read_file(in.pins, attestation::kMaxListDocument + 1);
  if (!text) return infra::fail(text.error().code, text.error().message + "; --pin makes the file at first use");
  auto pins = attestation::parse_pins(*text);
  if (!pins) return infra::fail(infra::ErrorCode::malformed, in.pins.string() + ": " + pins.error().text());
  out.pins = std::move(*pins);
  return {};
}

Verdict judge(std::string_view quote, const Inputs& inputs) {
  return attestation::verify(quote, inputs.challenge, inputs.manifest ? &*inputs.manifest : nullptr,
                             inputs.pins ? &*inputs.pins : nullptr);
}

// Why this quote's key is not pinned; empty when it may be.
std::string no_pin(const Verdict& verdict) {
  using attestation::Match;
  if (verdict.refusal || !verdict.document.quotes) return "there is no genuine quote";
  for (const Match match : {verdict.code.application, verdict.code.system})
    if (match == Match::differs || match == Match::not_listed) return "the code is not the manifest's";
  if (verdict.key.voucher == Voucher::other_key_pinned || verdict.key.voucher == Voucher::other_core)
    return "the file pins something else. If the node's TEE was replaced, and you know that from its operator, take "
           "the old pin out of the file by hand";
  return {};
}

// Pins the key at first use and judges again; the words to tell, or an error.
infra::Result<std::string> pin_key(const Arguments& in, std::string_view quote, Inputs& inputs, Verdict& verdict) {
  if (verdict.key.voucher == Voucher::pinned) return std::string("already pinned; the file is as it was");
  if (const std::string why = no_pin(verdict); !why.empty()) return "NOT pinned: " + why;
  const auto now = static_cast<std::uint64_t>(infra::make_system_clock()->now_s());
  if (inputs.pins->pins.size() >= attestation::kMaxListed) return std::string("NOT pinned: the file is full");
  inputs.pins->pins.push_back({verdict.key.fingerprint, verdict.document.statement.core_id, wallet::format_time(now)});
  if (auto written = infra::write_file_atomically(in.pins, attestation::format_pins(*inputs.pins)); !written)
    return tl::unexpected(written.error());
  verdict = judge(quote, inputs);
  return "pinned now, at first use, in " + in.pins.string() +
         ": before this moment nobody but whoever answered vouched for the key";
}

json::object to_json(const Verdict& verdict) {
  json::object out;
  out["refusal"] = nullptr;
  if (verdict.refusal) {
    out["refusal"] = std::string(name(verdict.refusal->code));
    out["message"] = verdict.refusal->message;
    return out;
  }
  const protocol::AttestationStatement& statement = verdict.document.statement;
  out["code"] = {{"application", std::string(name(verdict.code.application))},
                 {"system", std::string(name(verdict.code.system))}};
  out["key"] = {{"voucher", std::string(name(verdict.key.voucher))},
                {"fingerprint", core::to_plain_hex(verdict.key.fingerprint)},
                {"since", verdict.key.since},
                {"listed", verdict.key.listed}};
  out["machine"] = {{"protection", std::string(attestation::protection_name(statement.protection))},
                    {"body", std::string(attestation::body_name(statement.body))},
                    {"believed", verdict.machine.believed}};
  out["core"] = {{"coreId", core::to_plain_hex(statement.core_id)},
                 {"identityKey", core::to_plain_hex(statement.identity_key)},
                 {"hpkeKey", core::to_plain_hex(statement.hpke_key)},
                 {"configurationDigest", core::to_plain_hex(statement.configuration_digest)},
                 {"epoch", std::to_string(statement.epoch)},
                 {"recoveryCount", std::to_string(statement.recovery_count)},
                 {"rootKeyVersion", std::to_string(statement.root_key_version)}};
  return out;
}

// What keeps the exit status from being 0, for a person.
std::string missing(const Verdict& verdict) {
  std::string words;
  auto add = [&words](const char* what) { words += (words.empty() ? "" : ", ") + std::string(what); };
  if (verdict.refusal) add("the quote");
  if (!verdict.refusal && !verdict.code.matches()) add("code");
  if (!verdict.refusal && !verdict.key.vouched()) add("key");
  if (!verdict.refusal && verdict.machine.protection == 0) add("machine");
  return words;
}

int conclude(const Arguments& in, std::string_view quote, Inputs& inputs) {
  Verdict verdict = judge(quote, inputs);
  std::string pinning;
  if (in.pin) {
    auto done = pin_key(in, quote, inputs, verdict);
    if (!done) return failed(done.error().text());
    pinning = std::move(*done);
  }
  const bool holds = attestation::everything_holds(verdict);
  if (in.as_json) {
    json::object out = to_json(verdict);
    if (in.pin) out["pinning"] = pinning;
    std::cout << json::serialize(out) << "\n";
    return holds ? kHolds : kDoesNot;
  }
  for (const std::string& line : attestation::describe(verdict, inputs.manifest ? &*inputs.manifest : nullptr))
    std::cout << line << "\n";
  if (in.pin) std::cout << "pin          " << pinning << "\n";
  if (!holds) std::cout << "DOES NOT HOLD, or could not be checked: " << missing(verdict) << "\n";
  return holds ? kHolds : kDoesNot;
}

int verify_file(const Arguments& in) {
  Inputs inputs;
  const auto challenge = core::parse_bytes32(in.challenge, core::HexPrefix::optional);
  if (!challenge) return failed("--challenge takes 32 bytes in hexadecimal: " + challenge.error().text(), kUsage);
  inputs.challenge = *challenge;
  if (auto read = read_lists(in, inputs); !read) return failed(read.error().text());
  std::string text;
  if (in.quote == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto file = infra::read_file(in.quote, attestation::kMaxQuoteDocument + 1);
    if (!file) return failed(file.error().text());
    text = std::move(*file);
  }
  return conclude(in, text, inputs);
}

int fetch(const Arguments& in) {
  Inputs inputs;
  if (auto read = read_lists(in, inputs); !read) return failed(read.error().text());
  infra::make_system_random()->fill(inputs.challenge);
  infra::HttpCall call;
  call.url = in.url;
  while (call.url.ends_with('/')) call.url.pop_back();
  if (!infra::parse_http_url(call.url)) return failed("--url takes http://HOST:PORT or https://HOST:PORT", kUsage);
  const std::string challenge = core::to_plain_hex(inputs.challenge);
  call.url += "/api/v1/attestation?challenge=" + challenge;
  call.timeout = kPatience;
  call.max_response_bytes = attestation::kMaxQuoteDocument + 1;
  infra::EventLoop loop;
  const auto http = infra::make_http_client({});
  const auto answer = loop.block_on(http->send(std::move(call)));
  if (!answer) return failed(in.url + ": " + answer.error().text());
  const std::string text(answer->content());
  if (answer->status != 200) return failed(in.url + " answers " + std::to_string(answer->status) + ": " + text);
  if (!in.save.empty()) {
    if (auto written = infra::write_file_atomically(in.save, text); !written) return failed(written.error().text());
    if (!in.as_json) std::cout << "saved        " << in.save.string() << ", challenge " << challenge << "\n";
  }
  return conclude(in, text, inputs);
}

void add_common(CLI::App& command, const Shared& in) {
  command.add_option("--manifest", in->manifest, "of the release or installation: measurements, perhaps keys");
  const auto pins = command.add_option("--pins", in->pins, "this client's pinned attestation keys of the node");
  command.add_flag("--pin", in->pin, "pin the key at first use, when the file has no pin yet")->needs(pins);
  command.add_flag("--json", in->as_json, "the answers as one line of JSON");
  command.footer(kFooter);
}

}  // namespace

void add_attest_commands(CLI::App& app, std::function<int()>& job) {
  CLI::App* attest = app.add_subcommand("attest", "check what code answers, with which keys, on what machine");
  attest->require_subcommand(1);
  infra::LogOptions log;
  log.level = infra::LogLevel::error;
  {
    auto in = std::make_shared<Arguments>();
    CLI::App* made = attest->add_subcommand("verify", "check a quote that was fetched with this challenge");
    made->add_option("QUOTE.json", in->quote, "the quote, - for standard input")->required();
    made->add_option("--challenge", in->challenge, "the 32 bytes it must answer, in hexadecimal")->required();
    add_common(*made, in);
    made->callback([&job, in, log] {
      job = [in, log] {
        infra::configure_log(log);
        return verify_file(*in);
      };
    });
  }
  auto in = std::make_shared<Arguments>();
  CLI::App* made = attest->add_subcommand("fetch", "ask a node with a fresh challenge and check the answer");
  made->add_option("--url", in->url, "the node's HTTP API")->capture_default_str();
  made->add_option("--save", in->save, "keep the quote in this file");
  add_common(*made, in);
  made->callback([&job, in, log] {
    job = [in, log] {
      infra::configure_log(log);
      return fetch(*in);
    };
  });
}

}  // namespace community::node
