// SPDX-License-Identifier: Apache-2.0
// A program started by this one that never outlives it.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "community/infra/api/task.hpp"

namespace community::node {

class Child {
 public:
  // Starts `program`; its output goes to `log`. It is in its own process group (a Ctrl-C reaches this program first)
  // and dies with this program, however that ends.
  static infra::Result<std::unique_ptr<Child>> start(infra::AnyExecutor executor, std::filesystem::path program,
                                                     std::vector<std::string> arguments, std::filesystem::path log);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int pid() const;
  // Returns when it has ended, with words that say how.
  infra::Task<std::string> ended();
  // SIGTERM, and SIGKILL when that does not help in time.
  infra::Task<void> stop(infra::Milliseconds patience);

 private:
  struct Body;
  explicit Child(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace community::node
