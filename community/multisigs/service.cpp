// SPDX-License-Identifier: Apache-2.0
// The list: what comes into it is checked against the chain first, so that nobody is shown something else as a
// multisig.
#include "community/multisigs/service.hpp"

#include "community/core/uuid.hpp"
#include "community/multisigs/store.hpp"
#include "community/users/api/text.hpp"

namespace community::multisigs {
namespace {

Result<void> check_name(const std::string& name) {
  if (name.empty()) return {};
  const auto good = users::check_name(name, "/name");
  if (!good) return fail_field(good.error().field, good.error().message);
  return {};
}

// Inside of the write that changes the entry. Never its name: a person wrote it.
Result<KeptMultisig> tell(soci::session& sql, audit::AuditLog& log, audit::EventName name, const std::string& user_id,
                          KeptMultisig entry, std::int64_t now_ms) {
  audit::AuditEvent event;
  event.event = name;
  event.subject = user_id;
  event.payload["multisigId"] = entry.multisig_id;
  event.payload["chainId"] = entry.chain_id;
  event.payload["address"] = core::format_address(entry.address);
  event.time_ms = now_ms;
  if (const auto told = log.record(sql, event); !told)
    return fail(ErrorCode::database_unavailable, told.error().text());
  return entry;
}

}  // namespace

Error from_multisig(const multisig::Error& error) {
  using enum multisig::ErrorCode;
  ErrorCode code = ErrorCode::not_a_multisig;
  if (error.code == chain_failed) code = ErrorCode::chain_unavailable;
  if (error.code == init_data_invalid) code = ErrorCode::init_data_invalid;
  return {code, error.message, {}};
}

const ServedChain* MultisigsService::find_chain(std::uint64_t chain_id) const {
  for (const ServedChain& chain : d_.chains)
    if (chain.chain_id == chain_id) return &chain;
  return nullptr;
}

Task<Result<void>> MultisigsService::check_deployed(const ServedChain& chain, Address address) {
  const auto code = co_await chain.chain.code(address);
  if (!code) co_return fail(ErrorCode::chain_unavailable, code.error().text());
  if (code->empty()) co_return fail(ErrorCode::not_deployed, "nothing is at this address on this chain");
  if (!multisig::is_multisig_code(*code, chain.proxy_init_code_hash))
    co_return fail(ErrorCode::not_a_multisig, "other code than this node's factory makes is at this address");
  // Its code may be right and its storage never set: the implementation itself, cloned by somebody.
  multisig::MultisigView view(chain.chain);
  const auto state = co_await view.state(address);
  if (!state) co_return tl::unexpected(from_multisig(state.error()));
  co_return Result<void>{};
}

Task<Result<Bytes>> MultisigsService::init_data_of(const ServedChain& chain, NewMultisig wanted) {
  multisig::MultisigInit init;
  init.owners = std::move(wanted.owners);
  init.threshold = wanted.threshold;
  init.limits = std::move(wanted.limits);
  init.salt = wanted.salt;
  for (multisig::LimitRow& row : init.limits) row.chain_id = chain.chain_id;
  auto encoded = multisig::encode_init_data(init);
  if (!encoded) co_return tl::unexpected(from_multisig(encoded.error()));
  // The factory refuses an owner whose verifier is not there: money at the address would be lost.
  for (const Bytes& owner : init.owners) {
    if (owner.size() == multisig::kAddressOwnerBytes) continue;
    Address verifier{};
    std::copy_n(owner.begin(), verifier.size(), verifier.begin());
    const auto code = co_await chain.chain.code(verifier);
    if (!code) co_return fail(ErrorCode::chain_unavailable, code.error().text());
    if (code->empty())
      co_return fail(ErrorCode::init_data_invalid, "the verifier " + core::format_address(verifier) + " has no code");
  }
  co_return std::move(*encoded);
}

Task<Result<KeptMultisig>> MultisigsService::enter(std::string user_id, KeptMultisig entry) {
  auto work = [user_id, entry, log = &d_.audit](soci::session& sql) -> Result<KeptMultisig> {
    if (!store::is_person(sql, user_id)) return fail(ErrorCode::not_found, "the person left");
    const std::vector<KeptMultisig> kept = store::list(sql, user_id);
    for (const KeptMultisig& other : kept)
      if (other.chain_id == entry.chain_id && other.address == entry.address)
        return fail(ErrorCode::already_kept, "it is entry " + other.multisig_id);
    if (kept.size() >= kMaxKept) return fail(ErrorCode::too_many_multisigs, "32 at most");
    store::insert(sql, user_id, entry);
    return tell(sql, *log, audit::EventName::multisig_kept, user_id, entry, entry.created_ms);
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<KeptMultisig>> MultisigsService::keep(std::string user_id, KeepRequest request) {
  if (auto good = check_name(request.name); !good) co_return tl::unexpected(good.error());
  const ServedChain* chain = find_chain(request.chain_id);
  if (chain == nullptr) co_return fail(ErrorCode::chain_unknown, "the node does not serve this chain");
  KeptMultisig entry;
  entry.chain_id = request.chain_id;
  entry.name = std::move(request.name);
  if (auto* wanted = std::get_if<NewMultisig>(&request.what)) {
    auto init_data = co_await init_data_of(*chain, std::move(*wanted));
    if (!init_data) co_return tl::unexpected(init_data.error());
    entry.init_data = std::move(*init_data);
    entry.address = multisig::multisig_address(chain->factory, chain->proxy_init_code_hash, entry.init_data);
  } else {
    entry.address = std::get<Address>(request.what);
    if (auto good = co_await check_deployed(*chain, entry.address); !good) co_return tl::unexpected(good.error());
  }
  core::Uuid id{};
  d_.random.fill(id);
  entry.multisig_id = core::format_uuid(core::random_uuid(id));
  entry.created_ms = d_.clock.now_ms();
  co_return co_await enter(std::move(user_id), std::move(entry));
}

Task<Result<std::vector<KeptMultisig>>> MultisigsService::list(std::string user_id) {
  auto read = [user_id](soci::session& sql) { return store::list(sql, user_id); };
  auto found = co_await d_.database.read(read);
  if (!found) co_return fail(ErrorCode::database_unavailable, found.error().text());
  co_return std::move(*found);
}

Task<Result<KeptMultisig>> MultisigsService::rename(std::string user_id, std::string multisig_id, std::string name) {
  if (auto good = check_name(name); !good) co_return tl::unexpected(good.error());
  auto work = [user_id, multisig_id, name, log = &d_.audit,
               now = d_.clock.now_ms()](soci::session& sql) -> Result<KeptMultisig> {
    auto entry = store::find(sql, user_id, multisig_id);
    if (!entry) return fail(ErrorCode::not_found);
    entry->name = name;
    store::set_name(sql, multisig_id, name);
    return tell(sql, *log, audit::EventName::multisig_renamed, user_id, std::move(*entry), now);
  };
  co_return from_database(co_await d_.database.write(work));
}

Task<Result<void>> MultisigsService::forget(std::string user_id, std::string multisig_id) {
  auto work = [user_id, multisig_id, log = &d_.audit,
               now = d_.clock.now_ms()](soci::session& sql) -> Result<KeptMultisig> {
    auto entry = store::find(sql, user_id, multisig_id);
    if (!entry) return fail(ErrorCode::not_found);
    store::erase(sql, multisig_id);
    return tell(sql, *log, audit::EventName::multisig_forgotten, user_id, std::move(*entry), now);
  };
  auto done = from_database(co_await d_.database.write(work));
  if (!done) co_return tl::unexpected(done.error());
  co_return Result<void>{};
}

std::unique_ptr<Multisigs> make_multisigs(MultisigsDependencies dependencies) {
  return std::make_unique<MultisigsService>(std::move(dependencies));
}

}  // namespace community::multisigs
