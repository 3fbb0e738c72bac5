// SPDX-License-Identifier: Apache-2.0
#include "community/keys/api/operator.hpp"

#include "community/core/secp256k1.hpp"

namespace community::keys {
namespace {

template <class Message>
Bytes encode_message(const Message& message) {
  Bytes bytes(protocol::kMaxConfiguration);
  bytes.resize(protocol::encode(message, bytes).size());
  return bytes;
}

template <class Message>
SignedMessage sign_message(const Bytes32& secret, std::string_view what, const Message& message) {
  SignedMessage result;
  result.message = encode_message(message);
  // The key was checked when the operator was made, so signing cannot fail.
  const core::Signature signature = core::sign_digest(secret, protocol::operator_digest(what, result.message)).value();
  base::copy(result.signature, signature.r);
  base::copy(base::MutableByteView(result.signature).subspan(32), signature.s);
  return result;
}

}  // namespace

Operator Operator::generate(infra::Random& random) {
  for (;;) {
    Bytes32 secret{};
    random.fill(secret);
    if (core::public_key_of(secret)) return Operator(secret);
  }
}

std::optional<Operator> Operator::from_secret(const Bytes32& secret) {
  if (!core::public_key_of(secret)) return std::nullopt;
  return Operator(secret);
}

std::array<std::uint8_t, 64> Operator::public_key() const { return core::public_key_of(secret_).value(); }

SignedMessage Operator::sign(const protocol::Configuration& configuration) const {
  return sign_message(secret_, "configuration", configuration);
}

SignedMessage Operator::sign(const protocol::Recovery& recovery) const {
  return sign_message(secret_, "recovery", recovery);
}

SignedMessage Operator::sign(const protocol::GenericKeyOrder& order) const {
  return sign_message(secret_, "generic key", order);
}

SignedMessage Operator::sign_rotation(const protocol::RootKeyOrder& order) const {
  return sign_message(secret_, "root key rotation", order);
}

SignedMessage Operator::sign_retirement(const protocol::RootKeyOrder& order) const {
  return sign_message(secret_, "root key retirement", order);
}

Bytes encode_configuration(const protocol::Configuration& configuration) { return encode_message(configuration); }

Task<Result<Bytes32>> ensure_configuration(KeyAdministration& administration, const Operator* op,
                                           protocol::Configuration wanted) {
  const auto status = co_await administration.status();
  if (!status) co_return tl::unexpected(status.error());
  wanted.core_id = status->core_id;
  wanted.sequence = status->configuration_sequence;
  if (wanted.sequence != 0 && base::sha256(encode_configuration(wanted)) == status->configuration_digest)
    co_return status->configuration_digest;
  if (op == nullptr)
    co_return fail(
        ErrorCode::not_found,
        "the trusted core needs a new configuration, which the operator signs: put operator.key back into the "
        "data folder for this start");
  wanted.sequence++;
  const SignedMessage message = op->sign(wanted);
  co_return co_await administration.configure(message.message, message.signature);
}

}  // namespace community::keys
