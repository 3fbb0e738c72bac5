// SPDX-License-Identifier: Apache-2.0
// What works and what does not, in words: the content of /health and /ready.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace community::infra {

enum class HealthState : std::uint8_t {
  ok,
  // Works with less: /ready stays true.
  degraded,
  // Does not serve: /ready is false.
  failed,
};
std::string_view name(HealthState state);

struct HealthReport {
  HealthState state = HealthState::ok;
  // For people; empty when ok.
  std::string words;
};

// Belongs to the loop that answers /health; components register a question that is cheap and does not wait.
class Health {
 public:
  using Check = std::function<HealthReport()>;
  void add(std::string component, Check check);

  struct Entry {
    std::string component;
    HealthReport report;
  };
  std::vector<Entry> report() const;
  // The worst of all.
  HealthState state() const;
  bool ready() const { return state() != HealthState::failed; }
  // {"status":"degraded","components":{"chain":{"status":"ok"},…}}
  std::string json() const;

 private:
  struct Component {
    std::string name;
    Check check;
  };
  std::vector<Component> components_;
};

}  // namespace community::infra
