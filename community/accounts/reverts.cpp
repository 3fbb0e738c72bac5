// SPDX-License-Identifier: Apache-2.0
// Errors of the contracts by their text; tools/check_account.py compares the list with the sources.
#include <map>

#include "community/accounts/api/reverts.hpp"
#include "community/core/abi.hpp"

namespace community::accounts {
namespace {

constexpr std::string_view kErrors[] = {
    // clang-format off
    "AccountFrozen()",
    "AccountUnauthorized(address)",
    "AlreadyApproved(bytes32)",
    "AlreadyFrozen()",
    "AlreadyInitialized()",
    "AlreadyRejected(bytes32)",
    "AlreadyUsed(bytes32)",
    "CallCountOutOfRange(uint256)",
    "CallDataMalformed(address,bytes4)",
    "CallDataNotExecute(bytes4)",
    "CallFailed(uint256)",
    "CallFailed(uint256,bytes)",
    "CallIsNotAllowed(address,bytes4)",
    "CallNotAllowed(address,bytes4)",
    "CallToEntryPoint(uint256)",
    "CallToSelf(uint256)",
    "CallToZeroAddress(uint256)",
    "CodeHashMismatch(address,bytes32)",
    "DayIsOver(uint256,uint256)",
    "DeadlinePassed(uint48)",
    "DomainNotListed(bytes32)",
    "DuplicateGasCap(uint256)",
    "DuplicateLimit(uint256)",
    "DuplicateOwner(bytes)",
    "DuplicatePasskey(uint256)",
    "DuplicateSpendingLimit(uint256)",
    "ETHTransferFailed()",
    "EntryPointWithoutCode(address)",
    "Error(string)",
    "EscapeKeyIsServerKey()",
    "ExecutionDataMalformed()",
    "ExpiryOutOfRange(uint256,uint256,uint256)",
    "FailedOp(uint256,string)",
    "FailedOpWithRevert(uint256,string,bytes)",
    "ForeignEntryPoint(address)",
    "ForeignKeyEpoch(uint32,uint32)",
    "GasCostOverCap(uint256,uint256,uint256)",
    "GrantForeignPaymaster(address)",
    "GrantForeignSelector(uint256,bytes4)",
    "GrantForeignTarget(uint256,address)",
    "GrantNotLive(bytes32)",
    "GrantSelectorCount(uint256)",
    "GrantSelectorRefused(bytes4)",
    "GrantSelectorsNotAscending(uint256)",
    "GrantTargetRefused(address)",
    "GrantTimesRefused(uint48,uint48)",
    "GrantUsed(bytes32)",
    "GrantValueOverCall(uint256,uint256)",
    "GrantValueOverTotal(uint256,uint256)",
    "GrantWithoutPaymaster()",
    "GuardianCountOutOfRange(uint256,uint256)",
    "GuardianIsOwner(uint256)",
    "GuardianListMismatch()",
    "GuardianSignatureInvalid(uint256)",
    "GuardianThresholdInconsistent(bytes32,uint8)",
    "GuardianTooShort(uint256)",
    "GuardiansNotAscending(uint256)",
    "HiddenTokenCall(address,bytes4)",
    "ImplementationIsNotAnAccount()",
    "InvalidShortString()",
    "ItemNotReady(bytes32,uint256)",
    "ItemUnknown(bytes32)",
    "ItemVoid(bytes32)",
    "NewRecipient(address)",
    "NoGuardians()",
    "NoSuchSigner(uint8)",
    "NotAnImplementation(address)",
    "NotAnOwner(bytes)",
    "NotApproved(bytes32)",
    "NotCancellable(bytes32,uint8)",
    "NotEnoughApprovals(bytes32,uint256,uint256)",
    "NotFrozen()",
    "NotLowered(uint256)",
    "NotTheProposer(bytes32)",
    "OnlyFactory(address)",
    "OnlySelf(address)",
    "OverDailyLimit(address,uint256,uint256)",
    "OverLimit(address,uint256,uint256)",
    "OverlapTooLong(uint48)",
    "OwnableInvalidOwner(address)",
    "OwnableUnauthorizedAccount(address)",
    "OwnerIsNeeded()",
    "OwnerIsTheMultisig()",
    "OwnerIsZero()",
    "OwnerLengthOutOfRange(uint256)",
    "P256VerifierUnusable(address)",
    "Panic(uint256)",
    "PasskeyCountOutOfRange(uint256)",
    "PasskeyNotOnCurve(uint256)",
    "PasskeyWithoutRpId(uint256)",
    "PasskeysUnknown(uint256,uint256)",
    "PaymasterDataLength(uint256)",
    "PaymasterUnauthorized(address)",
    "ProposalExists(bytes32)",
    "ProposalIsCancelled(bytes32)",
    "ProposalIsExecuted(bytes32)",
    "ProposalIsExpired(bytes32,uint256)",
    "QueueContentMalformed(uint8)",
    "RecoveryDelayTooShort(uint32)",
    "SafeERC20FailedOperation(address)",
    "SameOwnerSpelledTwice(bytes,bytes)",
    "SelfCallNotAlone(uint256)",
    "SelfCallUnknown(bytes4)",
    "SelfCallWithValue(uint256)",
    "ServerFreezeTooSoon(uint48)",
    "SessionCallMalformed()",
    "SignatureInvalid(uint8)",
    "SignatureOfOtherEpoch(uint256,uint256)",
    "SignaturePastDeadline(uint256)",
    "SignatureUsed(bytes32)",
    "SignerUnchanged(address)",
    "SignersNotAscending(uint256)",
    "SpendOfNothing()",
    "SpendToSelf()",
    "SpendToZeroAddress()",
    "SponsorshipWithoutEnd()",
    "StakeStillLocked(uint48)",
    "StringTooLong(string)",
    "ThresholdOutOfRange(uint256,uint256)",
    "TokenTookMore(address,uint256,uint256)",
    "TooFewGuardians(uint256,uint256)",
    "TooManyGasCaps(uint256)",
    "TooManyLimits(uint256)",
    "TooManyOwners()",
    "TooManySpendingLimits(uint256)",
    "TransferFailed()",
    "UncountedTokenCall(address,bytes4)",
    "UnknownProposal(bytes32)",
    "UnlistedToken(address,bytes4)",
    "UnstakeDelayTooShort(uint32)",
    "UnsupportedExecutionMode(bytes32)",
    "VerifierWithoutCode(address)",
    "VotesOutOfRange(uint8)",
    "WrongSignature(bytes)",
    "WrongSigners(uint256)",
    "ZeroAddress()",
    "ZeroEscapeKey()",
    "ZeroServerKey()",
    // clang-format on
};

constexpr std::size_t kMaxShown = 200;

struct KnownError {
  std::string_view name;
  core::AbiFunction function;
  std::vector<std::string> types;
};

const std::map<std::array<std::uint8_t, 4>, KnownError>& known_errors() {
  static const auto table = [] {
    std::map<std::array<std::uint8_t, 4>, KnownError> made;
    for (const std::string_view text : kErrors) {
      KnownError known;
      known.name = text.substr(0, text.find('('));
      known.function = core::parse_abi_function(text).value();
      for (std::size_t at = text.find('(') + 1; at < text.size() - 1;) {
        const std::size_t end = std::min(text.find(',', at), text.size() - 1);
        known.types.emplace_back(text.substr(at, end - at));
        at = end + 1;
      }
      made.emplace(known.function.selector, std::move(known));
    }
    return made;
  }();
  return table;
}

std::string shown(std::string_view type, const core::AbiValue& value) {
  if (type == "address") return core::format_address(value.address());
  if (value.is_word()) return core::format_decimal(value.word());
  if (type != "string") return core::to_hex(value.bytes()).substr(0, kMaxShown);
  std::string text;
  for (const std::uint8_t c : value.bytes())
    if (text.size() < kMaxShown) text += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  return text;
}

}  // namespace

std::optional<std::string> describe_account_revert(ByteView revert) {
  if (revert.size() < 4) return std::nullopt;
  std::array<std::uint8_t, 4> selector{};
  base::copy(selector, revert.first(4));
  const auto found = known_errors().find(selector);
  if (found == known_errors().end()) return std::nullopt;
  const KnownError& known = found->second;
  const auto values = known.function.decode(revert);
  if (!values) return std::nullopt;
  std::string text(known.name);
  text += '(';
  for (std::size_t i = 0; i < values->size(); i++) {
    if (i > 0) text += ", ";
    text += shown(known.types[i], (*values)[i]);
  }
  text += ')';
  // What refused inside of an operation, or inside of a multisig's proposal, is what a person wants to know.
  const bool has_reason = known.name == "FailedOpWithRevert" || (known.name == "CallFailed" && values->size() == 2);
  if (has_reason)
    if (auto inner = describe_account_revert(values->back().bytes())) text += ": " + *inner;
  return text;
}

}  // namespace community::accounts
