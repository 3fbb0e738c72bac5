// SPDX-License-Identifier: Apache-2.0
// Asks every component and writes the answers down.
#include "community/infra/api/health.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace community::infra {

std::string_view name(HealthState state) {
  switch (state) {
    case HealthState::ok:
      return "ok";
    case HealthState::degraded:
      return "degraded";
    case HealthState::failed:
      return "failed";
  }
  return "unknown";
}

void Health::add(std::string component, Check check) {
  components_.push_back({std::move(component), std::move(check)});
}

std::vector<Health::Entry> Health::report() const {
  std::vector<Entry> entries;
  for (const auto& component : components_) entries.push_back({component.name, component.check()});
  return entries;
}

HealthState Health::state() const {
  HealthState worst = HealthState::ok;
  for (const auto& component : components_) worst = std::max(worst, component.check().state);
  return worst;
}

std::string Health::json() const {
  HealthState worst = HealthState::ok;
  boost::json::object components;
  for (auto& entry : report()) {
    worst = std::max(worst, entry.report.state);
    boost::json::object component;
    component["status"] = name(entry.report.state);
    if (!entry.report.words.empty()) component["words"] = std::move(entry.report.words);
    components[entry.component] = std::move(component);
  }
  boost::json::object all;
  all["status"] = name(worst);
  all["components"] = std::move(components);
  return boost::json::serialize(all);
}

}  // namespace community::infra
