// SPDX-License-Identifier: Apache-2.0
// The resources of the HTTP API, one file each: input, call, output.
#pragma once
#include "community/gateway/api_v1/to_json.hpp"
#include "community/gateway/factory.hpp"

namespace community::gateway::api_v1 {

// registrations.cpp
void add_registrations(Api& api, infra::HttpRouter& router, const RelyingParty& relying_party);
// session.cpp
void add_session(Api& api, infra::HttpRouter& router, const RelyingParty& relying_party);
// sessions.cpp
void add_sessions(Api& api, infra::HttpRouter& router);
// me.cpp
void add_me(Api& api, infra::HttpRouter& router);
// leave.cpp: what there is of a person here, all of it, and its deletion.
void add_leave(Api& api, infra::HttpRouter& router, privacy::Privacy& privacy);
// passkeys.cpp
void add_passkeys(Api& api, infra::HttpRouter& router, const RelyingParty& relying_party);
// wallets.cpp
void add_wallets(Api& api, infra::HttpRouter& router);
// activity.cpp
void add_activity(Api& api, infra::HttpRouter& router, audit::AuditLog& log);
// transactions.cpp: what people do with their accounts.
void add_transactions(Api& api, infra::HttpRouter& router, transactions::Transactions& transactions);
// apps.cpp: web apps of others, what people let them do and what they ask for.
void add_apps(Api& api, infra::HttpRouter& router, apps::Apps& apps, std::function<NodeFacts()> facts);
// multisigs.cpp: the person's list of multisigs, and the state of each.
void add_multisigs(Api& api, infra::HttpRouter& router, multisigs::Multisigs& multisigs);
// arrivals.cpp: accounts that people bring from elsewhere, and the history that comes with them.
void add_arrivals(Api& api, infra::HttpRouter& router, arrivals::Arrivals& arrivals);
void add_imports(Api& api, infra::HttpRouter& router, arrivals::Imports& imports);
// events.cpp: what happens, told to open pages while it happens.
void add_events(Api& api, infra::HttpRouter& router, notifications::Hub& hub, infra::Clock& clock);
// push.cpp: the browsers that are told without an open page. Null: this node has no web push.
void add_push(Api& api, infra::HttpRouter& router, notifications::Push* push, audit::AuditLog& log);
// node.cpp: what the node is, and the description of this API.
void add_node(Api& api, infra::HttpRouter& router, std::function<NodeFacts()> facts);

// --- what several of them do -----------------------------------------------------------------------------------------

inline tl::unexpected<Problem> refuse(const users::Error& error) { return tl::unexpected(to_problem(error)); }

// transactions.cpp
Problem to_problem(const transactions::Error& error);

}  // namespace community::gateway::api_v1
