// SPDX-License-Identifier: Apache-2.0
// Frames in, frames out: the channel's rules, then one handler a command.
#include "trusted/core/core.hpp"

namespace community::trusted {

using protocol::Command;

Error Core::start() {
  Error error = load_state(port_, state_);
  if (error == Error::ok) error = migrate_state(port_, state_);
  if (error == Error::ok) error = load_configuration();
  // The second write of a fence may not have taken place; then the copy of before still holds secrets.
  if (error == Error::ok && state_.fenced != 0) error = save_state(port_, state_);
  ready_ = error == Error::ok;
  return error;
}

void Core::end(Session& session) {
  if (pending_.owner == &session) {
    pending_.owner = nullptr;
    pending_.count = 0;
    pending_.order_sequence = 0;
  }
  session.established = false;
  base::wipe(&session.keys, sizeof session.keys);
}

ByteView Core::hello(Session& session, ByteView frame, MutableByteView out) {
  protocol::Frame in;
  protocol::Hello host, core;
  const bool ours = protocol::open_frame(frame, protocol::hello_key(state_.channel_key, {}), in) == Error::ok &&
                    in.command == static_cast<std::uint16_t>(Command::hello) && in.sequence == 0 &&
                    protocol::decode(in.body, host);
  if (!ours || !port_.random(port_.context, core.nonce)) {
    session.closed = true;
    return {};
  }
  session.keys = protocol::session_keys(state_.channel_key, host.nonce, core.nonce);
  session.established = true;
  session.received = session.sent = 1;
  base::copy(out.subspan(protocol::kHeaderBytes), core.nonce);
  const Bytes32 key = protocol::hello_key(state_.channel_key, host.nonce);
  return protocol::seal_frame(out, core.nonce.size(), in.command | protocol::kReplyBit, in.request_id, 0, key);
}

ByteView Core::handle(Session& session, ByteView frame, MutableByteView out) {
  if (!ready_ || session.closed) {
    session.closed = true;
    return {};
  }
  if (!session.established) return hello(session, frame, out);

  protocol::Frame in;
  Error error = protocol::open_frame(frame, session.keys.to_core, in);
  if (error == Error::ok && in.sequence != session.received) error = Error::bad_sequence;
  if (error != Error::ok) {
    // Not from our host, or not at its place: nothing in it can be believed, not even its request id.
    session.closed = true;
    in = {};
  }
  session.received++;
  const MutableByteView room = out.subspan(protocol::kHeaderBytes, protocol::kMaxReplyFrame - protocol::kMinFrame);
  Writer reply(room);
  reply.number(static_cast<std::uint16_t>(Error::ok));
  if (error == Error::ok) error = dispatch(session, in, reply);
  if (error == Error::ok && !reply.ok()) error = Error::reply_too_large;
  std::size_t body_size = reply.size();
  if (error != Error::ok) {
    Writer refusal(room);
    refusal.number(static_cast<std::uint16_t>(error));
    body_size = refusal.size();
  }
  return protocol::seal_frame(out, body_size, in.command | protocol::kReplyBit, in.request_id, session.sent++,
                              session.keys.to_host);
}

Error Core::administer(const protocol::Frame& frame, Writer& reply) {
  switch (static_cast<Command>(frame.command)) {
    case Command::status:
      if (!frame.body.empty()) return Error::malformed_request;
      status(reply);
      return Error::ok;
    case Command::configure:
      return configure(frame.body, reply);
    case Command::recover:
      return recover(frame.body, reply);
    case Command::release_leases:
      return frame.body.empty() ? budgets_.release(port_, state_) : Error::malformed_request;
    case Command::attest:
      return attest(frame.body, reply);
    case Command::rotate_root_key:
      return rotate_root_key(frame.body, reply);
    case Command::retire_root_key:
      return retire_root_key(frame.body);
    case Command::count_records:
      return count_records(frame.body, reply);
    default:
      return Error::unknown_command;
  }
}

Error Core::dispatch(Session& session, const protocol::Frame& frame, Writer& reply) {
  const auto command = static_cast<Command>(frame.command);
  if (state_.fenced != 0 && command != Command::status && command != Command::attest) return Error::fenced;
  if (command >= Command::peer_challenge && command <= Command::fence) return backup(session, frame, reply);
  switch (command) {
    case Command::commit:
      return commit(session, frame.body, reply);
    case Command::wallet_create:
      return wallet_create(session, frame, reply);
    case Command::wallet_update:
      return wallet_update(session, frame, reply);
    case Command::account_bind:
      return account_bind(session, frame, reply);
    case Command::account_change_keys:
      return account_change_keys(session, frame, reply);
    case Command::account_adopt:
      return account_adopt(session, frame, reply);
    case Command::wallet_describe:
      return wallet_describe(frame.body, reply);
    case Command::key_create:
      return key_create(session, frame, reply);
    case Command::key_describe:
      return key_describe(frame.body, reply);
    case Command::reseal:
      return reseal(session, frame, reply);
    case Command::sign_userop:
      return sign_userop(frame.body, reply);
    case Command::sign_transaction:
      return sign_transaction(frame.body, reply);
    case Command::sign_treasury:
      return sign_treasury(frame.body, reply);
    case Command::sign_sponsorship:
      return sign_sponsorship(frame.body, reply);
    case Command::sign_session:
      return sign_session(frame.body, reply);
    case Command::sign_action:
      return sign_action(frame.body, reply);
    case Command::eoa_describe:
      return eoa_describe(frame.body, reply);
    case Command::sign_eoa_transaction:
      return sign_eoa_transaction(frame.body, reply);
    case Command::sign_message:
      return sign_message(frame.body, reply);
    case Command::sign_typed_data:
      return sign_typed_data(frame.body, reply);
    case Command::sign_account_message:
      return sign_account_message(frame.body, reply);
    case Command::phrase_export:
      return phrase_export(frame.body, reply);
    case Command::session_secret:
      return session_secret(frame.body, reply);
    case Command::content_root_open:
      return content_root_open(frame.body, reply);
    case Command::founders:
      return founders(session, frame, reply);
    default:
      return administer(frame, reply);
  }
}

const protocol::ChainConfig* Core::find_chain(std::uint64_t chain_id) const {
  for (std::size_t i = 0; i < configuration_.chain_count; i++)
    if (configuration_.chains[i].chain_id == chain_id) return &configuration_.chains[i];
  return nullptr;
}

const protocol::TreasuryConfig* Core::find_treasury(std::uint64_t chain_id) const {
  for (std::size_t i = 0; i < configuration_.treasury_count; i++)
    if (configuration_.treasuries[i].chain_id == chain_id) return &configuration_.treasuries[i];
  return nullptr;
}

const protocol::EntryPointConfig* find_entry_point(const protocol::ChainConfig& chain,
                                                   const protocol::Address& address) {
  for (std::size_t i = 0; i < chain.entry_point_count; i++)
    if (chain.entry_points[i].address == address) return &chain.entry_points[i];
  return nullptr;
}

bool is_paymaster(const protocol::ChainConfig& chain, const protocol::Address& address) {
  for (std::size_t i = 0; i < chain.paymaster_count; i++)
    if (chain.paymasters[i].address == address) return true;
  return false;
}

const protocol::PaymasterConfig* find_paymaster(const protocol::ChainConfig& chain, const protocol::Address& address,
                                                const protocol::Address& entry_point) {
  // To an EntryPoint a zero paymaster is none, whatever stands behind it: the account pays.
  if (base::is_zero(address)) return nullptr;
  for (std::size_t i = 0; i < chain.paymaster_count; i++)
    if (chain.paymasters[i].address == address && chain.paymasters[i].entry_point == entry_point)
      return &chain.paymasters[i];
  return nullptr;
}

}  // namespace community::trusted
