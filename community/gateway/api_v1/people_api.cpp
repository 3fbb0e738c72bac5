// SPDX-License-Identifier: Apache-2.0
// All resources behind the one way in.
#include "community/gateway/api_v1/resources.hpp"

namespace community::gateway {
namespace {

class Routes final : public PeopleApi {
 public:
  Routes(PeopleApiDependencies dependencies, ApiOptions options)
      : dependencies_(std::move(dependencies)),
        api_(dependencies_.users, dependencies_.clock, std::move(options), dependencies_.metrics) {}

  void add_to(infra::HttpRouter& router) override {
    router.refuse_below("/api", api_v1::refuse_path);
    const RelyingParty& relying_party = api_.options().relying_party;
    api_v1::add_node(api_, router, dependencies_.facts);
    api_v1::add_registrations(api_, router, relying_party);
    api_v1::add_session(api_, router, relying_party);
    api_v1::add_sessions(api_, router);
    api_v1::add_me(api_, router);
    if (dependencies_.privacy != nullptr) api_v1::add_leave(api_, router, *dependencies_.privacy);
    api_v1::add_passkeys(api_, router, relying_party);
    api_v1::add_wallets(api_, router);
    api_v1::add_activity(api_, router, dependencies_.audit);
    if (dependencies_.hub != nullptr) api_v1::add_events(api_, router, *dependencies_.hub, dependencies_.clock);
    api_v1::add_push(api_, router, dependencies_.push, dependencies_.audit);
    if (dependencies_.apps != nullptr) api_v1::add_apps(api_, router, *dependencies_.apps, dependencies_.facts);
    if (dependencies_.multisigs != nullptr) api_v1::add_multisigs(api_, router, *dependencies_.multisigs);
    if (dependencies_.arrivals != nullptr) api_v1::add_arrivals(api_, router, *dependencies_.arrivals);
    if (dependencies_.imports != nullptr) api_v1::add_imports(api_, router, *dependencies_.imports);
    if (dependencies_.transactions != nullptr) api_v1::add_transactions(api_, router, *dependencies_.transactions);
  }

  std::vector<infra::HttpServerOptions::LargeBody> large_bodies() override { return api_.large_bodies(); }

 private:
  PeopleApiDependencies dependencies_;
  api_v1::Api api_;
};

}  // namespace

std::unique_ptr<PeopleApi> make_people_api(PeopleApiDependencies dependencies, ApiOptions options) {
  return std::make_unique<Routes>(std::move(dependencies), std::move(options));
}

}  // namespace community::gateway
