// SPDX-License-Identifier: Apache-2.0
// What a body of the trusted core is to its supervisor.
#pragma once
#include "community/bodies/api/choice.hpp"
#include "community/infra/api/child_process.hpp"

namespace community::bodies {

class Launcher {
 public:
  virtual ~Launcher() = default;

  // The program that answers frames on `folder`/socket, without on_line. Called before each start: it may put files in
  // order first.
  virtual infra::Result<infra::ChildOptions> program() = 0;
  // Whether this line of its output says that frames are answered now.
  virtual bool says_ready(std::string_view line) const = 0;
  // Whether this line says why it ends, where others may follow.
  virtual bool says_why(std::string_view /*line*/) const { return false; }
  // What a person can do about a program that ended with this line; empty when there is nothing to add.
  virtual std::string advice(std::string_view /*last_line*/) const { return {}; }
  // Called now and then while the program serves: keeps what it writes beside its keys within bounds.
  virtual void tidy() {}
  // How long that may take on a slow machine.
  virtual infra::Milliseconds start_patience() const = 0;

  // Whether there is a place for keys already, with or without keys in it.
  virtual bool exists() const = 0;
  // Throws away what stands there, keys and all.
  virtual infra::Result<void> erase() = 0;
  // Makes an empty place for keys where there is none.
  virtual infra::Result<void> prepare() = 0;
  // Arguments of a program that makes keys and prints the channel key; nothing for a body that is asked by a frame.
  virtual std::optional<infra::ChildOptions> provisioner(std::array<std::uint8_t, 64> operator_public_key) = 0;
  // Whether it quotes its code. Then its attestation key is made before it first serves, which takes seconds.
  virtual bool attests() const = 0;
};

// In the node's folder: the name of the body that holds its keys.
inline constexpr const char* kBodyFile = "body";

std::unique_ptr<Launcher> make_launcher(protocol::Body body, const Places& places);

}  // namespace community::bodies
