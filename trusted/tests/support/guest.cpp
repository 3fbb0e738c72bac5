// SPDX-License-Identifier: Apache-2.0
#include "trusted/tests/support/guest.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "ta/ta_commands.h"

namespace community::trusted::testing {

namespace fs = std::filesystem;

namespace {

constexpr const char* kApplication = "lib/optee_armtz/12345678-5b69-11d4-9fee-00c04f4c3456.ta";
// TEE Client API Specification 1.0, section 4.3.6
constexpr std::uint32_t kFramesTypes = 5 | 6 << 4 | 2 << 8;

void append32(Bytes& out, std::uint32_t value) {
  std::array<std::uint8_t, 4> bytes{};
  base::store_be(bytes.data(), value);
  append(out, bytes);
}

std::uint32_t take32(ByteView& in) {
  if (in.size() < 4) std::abort();
  const auto value = base::load_be<std::uint32_t>(in.data());
  in = in.subspan(4);
  return value;
}

void append_parameters(Bytes& out, std::uint32_t types, const std::array<GuestParameter, 4>& parameters) {
  append32(out, types);
  for (const GuestParameter& parameter : parameters) {
    append32(out, parameter.a);
    append32(out, parameter.b);
    append32(out, static_cast<std::uint32_t>(parameter.bytes.size()));
    append(out, parameter.bytes);
  }
}

void take_parameters(ByteView& in, std::array<GuestParameter, 4>& parameters) {
  for (GuestParameter& parameter : parameters) {
    parameter.a = take32(in);
    parameter.b = take32(in);
    const std::uint32_t size = take32(in);
    if (size > in.size()) std::abort();
    parameter.bytes = to_bytes(in.first(size));
    in = in.subspan(size);
  }
}

// One file in the form "newc" (cpio(5)).
void append_file(std::string& archive, const std::string& name, const std::string& contents) {
  char header[128];
  std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 0u,
                name == "TRAILER!!!" ? 0u : 0100755u, 0u, 0u, 1u, 0u, static_cast<unsigned>(contents.size()), 0u, 0u,
                0u, 0u, static_cast<unsigned>(name.size() + 1), 0u);
  archive += header + name + '\0';
  archive.append((4 - archive.size() % 4) % 4, '\0');
  archive += contents;
  archive.append((4 - archive.size() % 4) % 4, '\0');
}

}  // namespace

fs::path optee_test_part(const std::string& name) {
  const fs::path path = optee_image().folder.parent_path() / "tests" / name;
  return fs::exists(path) ? path : fs::path();
}

std::string file_contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

qemu::Image changed_image(const qemu::Image& image, const fs::path& folder,
                          const std::map<std::string, std::string>& files) {
  fs::create_directories(folder);
  const qemu::Image changed{folder};
  for (const auto& [from, to] : {std::pair{image.firmware(), changed.firmware()},
                                 {image.kernel(), changed.kernel()},
                                 {image.data(), changed.data()},
                                 {image.placeholder(), changed.placeholder()},
                                 {image.stamp(), changed.stamp()}}) {
    std::error_code error;
    fs::create_hard_link(from, to, error);
    if (error) fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  }
  std::string archive = file_contents(image.initramfs());
  for (const auto& [name, contents] : files) append_file(archive, name, contents);
  append_file(archive, "TRAILER!!!", "");
  std::ofstream(changed.initramfs(), std::ios::binary) << archive;
  return changed;
}

qemu::Image image_with_application(const fs::path& folder, const std::string& part) {
  return changed_image(optee_image(), folder, {{kApplication, file_contents(optee_test_part(part + ".ta"))}});
}

bool HostileGuest::exists() { return optee_image().complete() && !optee_test_part("test-guest").empty(); }

HostileGuest::HostileGuest(const std::string& mode, const std::string& application) {
  std::map<std::string, std::string> files{{"init", file_contents(optee_test_part("test-guest"))},
                                           {"test-mode", mode},
                                           {"usr/sbin/tee-bridge", file_contents(optee_image().folder / "tee-bridge")}};
  if (!application.empty()) files[kApplication] = file_contents(optee_test_part(application + ".ta"));
  use_image(changed_image(optee_image(), fs::path(folder()) / "hostile-image", files));
}

Bytes HostileGuest::order(char letter, ByteView fields) {
  Bytes bytes;
  append32(bytes, static_cast<std::uint32_t>(1 + fields.size()));
  bytes.push_back(static_cast<std::uint8_t>(letter));
  append(bytes, fields);
  Bytes answer(4);
  if (!connection().send(bytes) || !connection().receive_exactly(answer)) return {};
  answer.resize(base::load_be<std::uint32_t>(answer.data()));
  return connection().receive_exactly(answer) ? answer : Bytes{};
}

GuestResult HostileGuest::open_session(std::uint32_t types, const std::array<GuestParameter, 4>& parameters) {
  Bytes fields;
  append_parameters(fields, types, parameters);
  const Bytes answer = order('O', fields);
  ByteView in(answer);
  GuestResult out;
  out.result = take32(in);
  out.origin = take32(in);
  out.session = take32(in);
  take_parameters(in, out.parameters);
  if (out.result == 0) sessions_.insert(out.session);
  return out;
}

void HostileGuest::close_all_sessions() {
  for (const std::uint32_t session : std::set(sessions_)) close_session(session);
}

void HostileGuest::close_session(std::uint32_t session) {
  Bytes fields;
  append32(fields, session);
  order('C', fields);
  sessions_.erase(session);
}

GuestResult HostileGuest::invoke(std::uint32_t session, std::uint32_t command, std::uint32_t types,
                                 const std::array<GuestParameter, 4>& parameters) {
  Bytes fields;
  append32(fields, session);
  append32(fields, command);
  append_parameters(fields, types, parameters);
  const Bytes answer = order('I', fields);
  ByteView in(answer);
  GuestResult out;
  out.session = session;
  out.result = take32(in);
  out.origin = take32(in);
  take_parameters(in, out.parameters);
  return out;
}

HostileGuest::Answered HostileGuest::frames(std::uint32_t session, ByteView bytes) {
  std::array<GuestParameter, 4> parameters;
  parameters[0] = {static_cast<std::uint32_t>(bytes.size()), 0, to_bytes(bytes)};
  parameters[1] = {COMMUNITY_TA_MAX_OUTPUT, 0, {}};
  const GuestResult out = invoke(session, COMMUNITY_TA_FRAMES, kFramesTypes, parameters);
  return {out.result, out.parameters[2].a, out.parameters[2].b != 0, out.parameters[1].bytes};
}

Bytes HostileGuest::touch_memory(std::uint64_t address, std::uint32_t pages, Touch how) {
  Bytes fields;
  append32(fields, static_cast<std::uint32_t>(address >> 32));
  append32(fields, static_cast<std::uint32_t>(address));
  append32(fields, pages);
  append32(fields, static_cast<std::uint32_t>(how));
  return order('R', fields);
}

Error BoardDevice::start() {
  if (pid() > 0) return Error::ok;
  if (const Error started = HostileGuest::start(); started != Error::ok) return started;
  if (!connection().connect(socket_path())) return Error::no_session;
  connection_.reset();
  start_bridge();
  return Error::ok;
}

Error BoardDevice::stop(bool clean) {
  connection_.reset();
  return HostileGuest::stop(clean);
}

void BoardDevice::crash() {
  connection_.reset();
  HostileGuest::crash();
}

void BoardDevice::start_bridge() {
  const Bytes answer = order('B', {});
  ByteView in(answer);
  bridge_ = take32(in);
  socket_mode_ = take32(in);
}

void BoardDevice::restart_bridge() {
  Bytes fields;
  append32(fields, bridge_);
  order('K', fields);
  start_bridge();
}

std::optional<std::uint32_t> BoardDevice::connect_stranger() {
  const Bytes answer = order('X', {});
  ByteView in(answer);
  const std::uint32_t number = take32(in);
  return number == UINT32_MAX ? std::nullopt : std::optional(number);
}

bool BoardDevice::connect() {
  if (connection_) {
    Bytes fields;
    append32(fields, *connection_);
    order('D', fields);
  }
  ended_ = false;
  connection_ = connect_stranger();
  return connection_.has_value();
}

bool BoardDevice::send(ByteView frame) {
  if (!connection_) return false;
  Bytes fields;
  append32(fields, *connection_);
  append(fields, frame);
  const Bytes answer = order('S', fields);
  ByteView in(answer);
  return take32(in) == 1;
}

Bytes BoardDevice::receive() {
  if (!connection_) return {};
  Bytes fields;
  append32(fields, *connection_);
  const Bytes answer = order('G', fields);
  ByteView in(answer);
  ended_ = take32(in) != 0;
  // The length that no frame has, as it ends a connection of the port.
  if (in.size() == protocol::kLengthBytes && base::is_zero(in)) ended_ = true;
  return in.size() > protocol::kLengthBytes ? to_bytes(in) : Bytes{};
}

bool BoardDevice::wait_for_end() {
  while (!receive().empty()) continue;
  return ended_;
}

}  // namespace community::trusted::testing
