// SPDX-License-Identifier: Apache-2.0
// Which body of the trusted core a node takes.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "community/infra/api/error.hpp"
#include "trusted/protocol/protocol.hpp"

namespace community::bodies {

// Where the programs and files of the bodies are.
struct Places {
  // The node's folder for its trusted core: channel.key, the socket, and a folder of the body's own.
  std::filesystem::path folder;
  std::filesystem::path key_enclave;
  // What `make optee` built.
  std::filesystem::path optee_image;
  // qemu-system-aarch64; looked for in the usual places when empty.
  std::filesystem::path qemu;
  // Of a board: the program beside OP-TEE's driver, and that driver's device.
  std::filesystem::path tee_bridge;
  std::filesystem::path tee_device = "/dev/tee0";
};

// The words of the configuration: optee-device, optee-qemu, process.
std::string name(protocol::Body body);

struct Candidate {
  protocol::Body body{};
  // What it lacks here, and what to do about it; empty: it can run.
  std::string missing;
};

// Every body, the strongest first.
std::vector<Candidate> candidates(const Places& places);

// The body whose keys a data folder holds already; nothing before the first start.
std::optional<protocol::Body> present_body(const Places& places);

struct Choice {
  protocol::Body body{};
  // Why no stronger one was taken, a line each; empty when the strongest was.
  std::vector<std::string> weaker_because;
};

// Takes `wanted` (a name, or "auto": the strongest that can run). A data folder with keys keeps its body: config_value
// when another one is wanted, or when its body cannot run any more.
infra::Result<Choice> choose(const std::string& wanted, const Places& places);

}  // namespace community::bodies
