// SPDX-License-Identifier: Apache-2.0
#include "community/bodies/api/choice.hpp"

#include <unistd.h>

#include "community/bodies/optee_launcher.hpp"
#include "community/infra/api/files.hpp"
#include "trusted/qemu/device.hpp"

namespace community::bodies {
namespace {

namespace fs = std::filesystem;
using protocol::Body;

constexpr std::size_t kMaxBodyName = 32;
constexpr Body kStrongestFirst[] = {Body::optee_device, Body::optee_qemu, Body::process};

bool runs(const fs::path& program) { return access(program.c_str(), X_OK) == 0; }

std::string missing(Body body, const Places& places) {
  switch (body) {
    case Body::optee_device:
      if (access(places.tee_device.c_str(), R_OK | W_OK) != 0)
        return "this machine has no TEE driver at " + places.tee_device.string();
      if (!runs(places.tee_bridge)) return "its program is missing: " + places.tee_bridge.string();
      return {};
    case Body::optee_qemu:
      if (!trusted::qemu::Image{places.optee_image}.complete())
        return "there is no OP-TEE image in " + places.optee_image.string() + "; build it with make optee";
      if (qemu_program(places).empty()) return "qemu-system-aarch64 is missing; install qemu-system-arm";
      return {};
    case Body::process:
      if (!runs(places.key_enclave))
        return "its program is missing: " + places.key_enclave.string() + "; build it with make build";
      return {};
  }
  return "unknown";
}

}  // namespace

std::string name(Body body) {
  switch (body) {
    case Body::process:
      return "process";
    case Body::optee_qemu:
      return "optee-qemu";
    case Body::optee_device:
      return "optee-device";
  }
  return "unknown";
}

std::vector<Candidate> candidates(const Places& places) {
  std::vector<Candidate> all;
  for (const Body body : kStrongestFirst) all.push_back({body, missing(body, places)});
  return all;
}

std::optional<Body> present_body(const Places& places) {
  if (!fs::exists(places.folder / "channel.key")) return std::nullopt;
  const auto named = infra::read_file(places.folder / kBodyFile, kMaxBodyName);
  for (const Body body : kStrongestFirst)
    if (named && *named == name(body)) return body;
  // A folder of before there were others.
  return Body::process;
}

infra::Result<Choice> choose(const std::string& wanted, const Places& places) {
  const std::optional<Body> present = present_body(places);
  const auto refused = [](std::string words) { return infra::fail(infra::ErrorCode::config_value, std::move(words)); };
  if (present && wanted != "auto" && wanted != name(*present))
    return refused("the keys of this data folder are in the body '" + name(*present) + "', and '" + wanted +
                   "' is configured: keys do not move between bodies; choose another --data-dir, or set keys.body to "
                   "auto");
  Choice choice;
  for (const Candidate& candidate : candidates(places)) {
    const bool asked = present ? candidate.body == *present : wanted == "auto" || wanted == name(candidate.body);
    if (asked && candidate.missing.empty()) {
      choice.body = candidate.body;
      return choice;
    }
    if (asked && (present || wanted != "auto"))
      return refused("the body '" + name(candidate.body) + "' cannot run here: " + candidate.missing);
    if (asked) choice.weaker_because.push_back(name(candidate.body) + ": " + candidate.missing);
  }
  std::string words = "no body of the trusted core can run here";
  for (const std::string& line : choice.weaker_because) words += "; " + line;
  return refused(std::move(words));
}

}  // namespace community::bodies
