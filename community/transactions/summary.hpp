// SPDX-License-Identifier: Apache-2.0
// What a batch of calls does, for the person who signs it: what each call says, with what chain and history know about
// the places it goes to, and what deserves a second look.
#pragma once
#include "community/transactions/call_reader.hpp"
#include "community/transactions/token_book.hpp"

namespace community::transactions {

#define COMMUNITY_TRANSACTION_WARNINGS(X)                                                           \
  X(allowance) /* somebody may take tokens later */                                                 \
  X(unlimited_allowance)                                                                            \
  X(operator_approval) /* somebody may take every token of the contract */                          \
  X(unreadable_token_call)                                                                          \
  X(first_payment) /* the account never paid this recipient, nor called it */                       \
  X(recipient_is_contract)                                                                          \
  X(recipient_is_token)   /* the token's own contract: what it gets is lost in most cases */        \
  X(recipient_looks_like) /* same first and last four digits as `similar`, which was used before */ \
  X(recipient_is_account) /* the account itself */                                                  \
  X(somebody_elses)       /* a token that is not the account's is moved */                          \
  X(whole_balance)                                                                                  \
  X(waits)                  /* queued: it acts when it is confirmed, a day later */                 \
  X(second_passkey_or_wait) /* with one vote it acts three days later */                            \
  X(voids_what_waits)       /* items, grants and unused signatures of the keys or rules before */   \
  X(moves_away)             /* the server key becomes another node's: this one signs no more */     \
  X(signs_without_touch)    /* the node signs calls of a contract alone for a time */               \
  X(gives_code)             /* `address` lets a contract's code act for it (EIP-7702) */            \
  X(permit_message)         /* whoever has the signature may take tokens of the key */              \
  X(unreadable_message)     /* bytes that are no text: nobody can tell what they are good for */    \
  X(message_names_no_chain) /* it counts on every chain */                                          \
  X(phrase_leaves)          /* whoever reads it has the keys derived from it, for ever */

COMMUNITY_RULES(Warning, COMMUNITY_TRANSACTION_WARNINGS)

struct DescribeRequest {
  Address account{};
  std::vector<accounts::Call> calls;
};

struct Described {
  core::json::array summary, warnings;
  // Who gets or may take something.
  std::vector<Address> recipients;
  // Places that the account never paid or called before.
  std::vector<Address> new_recipients;
  // Native value of all calls.
  Uint256 value;
};

// What a person compares, who does not compare all: same first four and last four digits, another address.
bool looks_like(const Address& one, const Address& other);

// A warning as spec/openapi.json has it; `call` counts from 0.
core::json::object warning_json(Warning warning, std::optional<std::size_t> call = std::nullopt,
                                const std::optional<Address>& address = std::nullopt);

class Describer {
 public:
  Describer(chain::ExecutionClient& chain, TokenBook& tokens) : chain_(chain), tokens_(tokens) {}
  // `known`: recipients that this account used before, for look-alikes; found out beside the questions to the chain,
  // and its error is the answer's. chain_unavailable: a warning that is not known is not left out.
  Task<Result<Described>> describe(DescribeRequest request, Task<Result<std::vector<Address>>> known);
  // Recipients that were found out before.
  static Task<Result<std::vector<Address>>> these(std::vector<Address> known);
  // Puts into changes of a token's limit what the token says of itself: an amount without its decimals says little.
  Task<core::json::array> name_tokens(core::json::array summary);

 private:
  struct Party {
    Address address{};
    bool is_contract = false, is_known = false;
  };
  // What a call touches, asked together.
  struct Facts {
    std::vector<Party> parties;
    std::vector<std::pair<Address, TokenFacts>> tokens;
    // Of the account, in tokens that it transfers.
    std::vector<std::pair<Address, std::optional<Uint256>>> balances;
  };
  Task<Result<Party>> party(Address address, Address account);
  Task<Result<Facts>> ask(const DescribeRequest& request, const std::vector<CallReading>& readings);
  static void warn(const DescribeRequest& request, const CallReading& reading, std::size_t index, const Facts& facts,
                   const std::vector<Address>& known, Described& out);

  chain::ExecutionClient& chain_;
  TokenBook& tokens_;
};

// "unlimited_allowance" as "unlimited-allowance", "lower_limit" as "lowerLimit".
std::string with_hyphens(std::string_view rule);
std::string in_camel_case(std::string_view rule);

}  // namespace community::transactions
