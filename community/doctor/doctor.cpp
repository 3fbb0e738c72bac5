// SPDX-License-Identifier: Apache-2.0
#include "community/doctor/api/doctor.hpp"

#include <arpa/inet.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/version.hpp>
#include <fstream>
#include <sstream>

#include "community/backup/api/keeper.hpp"
#include "community/infra/api/database_config.hpp"
#include "community/infra/api/files.hpp"
#include "community/keys/api/key_service.hpp"

namespace community::doctor {

namespace fs = std::filesystem;

namespace {

bool has(const fs::path& root, const char* path) {
  std::error_code ignored;
  return fs::exists(root / path, ignored);
}

// The flags line of the first processor.
bool has_cpu_flag(const fs::path& root, const std::string& flag) {
  std::ifstream file(root / "proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;)
      if (word == flag) return true;
    return false;
  }
  return false;
}

bool can_listen(const std::string& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int reuse = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10)));
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

protocol::Protection protection_of(protocol::Body body) {
  if (body == protocol::Body::process) return protocol::Protection::none;
  return body == protocol::Body::optee_qemu ? protocol::Protection::emulated : protocol::Protection::hardware;
}

// The body that would be taken, and each stronger one with what it lacks here.
std::vector<Finding> trusted_core(const Input& input) {
  const auto choice = bodies::choose(input.body, input.places);
  if (!choice) return {{Level::problem, "trusted core", choice.error().message}};
  const std::string present = bodies::present_body(input.places) ? "holds this folder's keys" : "would be taken";
  std::vector<Finding> findings{{Level::good, "trusted core",
                                 "body '" + bodies::name(choice->body) + "' " + present + "; protection: " +
                                     keys::describe_protection(choice->body, protection_of(choice->body))}};
  for (const std::string& reason : choice->weaker_because)
    findings.push_back({Level::note, "trusted core", "not in the stronger body " + reason});
  return findings;
}

Finding hardware(const Input& input) {
  const Hardware found = find_hardware(input.root);
  std::string words;
  for (const auto& [present, name] :
       {std::pair(found.sgx, "SGX"), std::pair(found.sev, "SEV"), std::pair(found.tdx, "TDX"),
        std::pair(found.op_tee, "OP-TEE (/dev/tee0)"), std::pair(found.tpm, "TPM"), std::pair(found.kvm, "KVM")})
    words += std::string(words.empty() ? "" : ", ") + name + (present ? ": yes" : ": no");
  const bool any = found.sgx || found.sev || found.tdx || found.op_tee;
  if (found.sgx || found.sev || found.tdx) words += "; no body of this version uses SGX, SEV or TDX yet";
  return {any ? Level::note : Level::good, "hardware", words};
}

Finding port(const std::string& bind) {
  const std::string number = bind.substr(bind.rfind(':') + 1);
  if (can_listen(number)) return {Level::good, "port " + number, "free"};
  return {Level::problem, "port " + number, "in use; stop what listens there (another node?) or choose another port"};
}

Finding data_folder(const Input& input) {
  std::error_code error;
  fs::path existing = fs::absolute(input.data_dir, error);
  const bool there = fs::exists(existing, error);
  while (!fs::exists(existing, error) && existing.has_relative_path()) existing = existing.parent_path();
  if (!fs::is_directory(existing, error) || access(existing.c_str(), W_OK) != 0)
    return {Level::problem, "data", "cannot write to " + existing.string() + "; choose a folder with --data-dir"};
  return {Level::good, "data", input.data_dir.string() + (there ? "" : " (made at the first start)")};
}

Finding database(const Input& input) {
  if (infra::is_postgresql(input.database.url)) {
    const auto words = infra::describe_postgresql(input.database);
    if (!words) return {Level::problem, "database", words.error().message};
    return {Level::good, "database", *words};
  }
  const fs::path file = input.data_dir / "node.db";
  const std::string version = std::string("SQLite ") + sqlite3_libversion();
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return {Level::good, "database", version + ", none yet"};
  sqlite3* handle = nullptr;
  std::string outcome = "cannot be opened";
  if (sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    auto take_first = [](void* target, int, char** values, char**) {
      if (static_cast<std::string*>(target)->empty()) *static_cast<std::string*>(target) = values[0];
      return 0;
    };
    outcome.clear();
    if (sqlite3_exec(handle, "PRAGMA quick_check(1)", take_first, &outcome, nullptr) != SQLITE_OK)
      outcome = sqlite3_errmsg(handle);
  }
  sqlite3_close(handle);
  if (outcome == "ok") return {Level::good, "database", version + ", " + file.string() + " is sound"};
  return {Level::problem, "database", file.string() + ": " + outcome + "; restore it from a backup"};
}

infra::Task<Finding> execution_client(const Input& input, chain::ExecutionClient& chain) {
  const auto id = co_await chain.chain_id();
  if (id) co_return Finding{Level::good, "chain", "chain " + std::to_string(*id) + " answers at " + input.chain_url};
  if (input.development)
    co_return Finding{Level::good, "chain", "none at " + input.chain_url + "; `run --dev` will start one"};
  co_return Finding{Level::problem, "chain",
                    "no answer at " + input.chain_url + " (" + id.error().text() +
                        "); start an execution client, or use `run --dev` for a development chain"};
}

// From the files that the node keeps; the core is not asked.
Finding backup_of(const Input& input) {
  const backup::BackupFiles files{input.data_dir / "backup"};
  std::error_code ignored;
  if (!fs::exists(files.description(), ignored))
    return {Level::note, "backup",
            "none: when the device is lost, so are its keys; docs/backup.md says how one is made"};
  const auto text = infra::read_file(files.description(), backup::kMaxDocument);
  if (!text) return {Level::note, "backup", text.error().message};
  const auto description = backup::parse_backup(*text);
  if (!description) return {Level::note, "backup", files.description().string() + ": " + description.error().text()};
  std::string words = "generation " + std::to_string(description->description.generation) + ", " +
                      std::to_string(description->description.threshold) + " of " +
                      std::to_string(description->description.holder_count) + " shares restore it; ";
  const auto state = backup::read_state(files);
  if (!state) return {Level::note, "backup", words + state.error().text()};
  if (state->made_ms == 0) return {Level::note, "backup", words + "no checkpoint was made yet"};
  const backup::Freshness found =
      backup::freshness(*state, description->description.threshold, input.backup_interval, input.now_ms);
  words += "the newest checkpoint is " + std::to_string((input.now_ms - state->made_ms) / 60'000) +
           " minutes old, and " + std::to_string(found.fresh) + " of " + std::to_string(found.holders) +
           " holders have a fresh one";
  return {found.enough() ? Level::good : Level::note, "backup", words + (found.enough() ? "" : ": too few")};
}

Finding contracts(const Input& input) {
  std::error_code ignored;
  if (fs::exists(input.contracts, ignored)) return {Level::good, "contracts", input.contracts.string()};
  return {Level::problem, "contracts", input.contracts.string() + " is missing; make it with `make contracts`"};
}

}  // namespace

Hardware find_hardware(const fs::path& root) {
  Hardware found;
  found.sgx = has(root, "dev/sgx_enclave") || has_cpu_flag(root, "sgx");
  found.sev = has(root, "dev/sev") || has(root, "dev/sev-guest") || has_cpu_flag(root, "sev");
  found.tdx = has(root, "dev/tdx_guest") || has(root, "dev/tdx-guest") || has_cpu_flag(root, "tdx_guest");
  found.op_tee = has(root, "dev/tee0");
  found.tpm = has(root, "dev/tpmrm0") || has(root, "dev/tpm0");
  found.kvm = has(root, "dev/kvm");
  return found;
}

infra::Task<std::vector<Finding>> examine(Input input, chain::ExecutionClient& chain) {
  std::vector<Finding> findings;
  findings.push_back({Level::good, "version",
                      input.version + ", Boost " BOOST_LIB_VERSION ", trusted core protocol " +
                          std::to_string(protocol::kProtocolVersion)});
  for (Finding& finding : trusted_core(input)) findings.push_back(std::move(finding));
  findings.push_back(hardware(input));
  findings.push_back(data_folder(input));
  findings.push_back(database(input));
  findings.push_back(backup_of(input));
  findings.push_back(contracts(input));
  for (const std::string& bind : input.binds) findings.push_back(port(bind));
  findings.push_back(co_await execution_client(input, chain));
  co_return findings;
}

bool could_run(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.level == Level::problem; });
}

std::string to_text(const std::vector<Finding>& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.subject.size());
  std::string text;
  for (const Finding& finding : findings) {
    const char* mark = finding.level == Level::good   ? "  ok      "
                       : finding.level == Level::note ? "  note    "
                                                      : "  PROBLEM ";
    text += mark + finding.subject + std::string(width - finding.subject.size() + 2, ' ') + finding.words + "\n";
  }
  text += could_run(findings) ? "The node could run here.\n"
                              : "The node could not run here: see the lines marked PROBLEM.\n";
  return text;
}

}  // namespace community::doctor
