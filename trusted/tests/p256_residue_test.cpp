// SPDX-License-Identifier: Apache-2.0
// What trusted/p256 leaves on the stack: nothing that depends on the secret. Each call runs on a stack of its own,
// painted before; two calls that differ in the secret alone have to leave the same bytes everywhere.
#include <gtest/gtest.h>
#include <ucontext.h>

#include <functional>

#include "trusted/p256/p256.hpp"
#include "trusted/tests/support/p256_curve.hpp"

namespace community::trusted::testing {
namespace {

class P256Residue : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer keeps stacks of its own";
#endif
    // What the dynamic linker leaves behind when it first finds a function is not of interest.
    P256Key key{};
    Bytes32 shared{};
    ASSERT_TRUE(p256::public_key(secrets[0], key));
    ASSERT_TRUE(p256::ecdh_x(secrets[0], key, shared));
  }

  // The whole stack after a call. Calls that are to be compared are one and the same closure, since the address of
  // another would be a difference.
  Bytes stack_after(const std::function<void()>& call) {
    // Static, since makecontext passes no pointers.
    static const std::function<void()>* current;
    current = &call;
    stack_.assign(stack_.size(), 0xee);
    ucontext_t here, there;
    getcontext(&there);
    // Registers that every function saves for its caller: the call would put what the test holds in them on the stack.
    for (const int saved : {REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15}) there.uc_mcontext.gregs[saved] = 0;
    there.uc_stack.ss_sp = stack_.data();
    there.uc_stack.ss_size = stack_.size();
    there.uc_link = &here;
    makecontext(
        &there, [] { (*current)(); }, 0);
    swapcontext(&here, &there);
    return stack_;
  }

  static std::size_t differences(const Bytes& a, const Bytes& b) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); i++) count += a[i] != b[i];
    return count;
  }

  // Outside of the stack that is looked at, as are the results. One of each end, and two without a pattern.
  const Bytes32 secrets[4] = {word("7f3a5c9e1b2d4f60718293a4b5c6d7e8f90a1b2c3d4e5f6071829304a5b6c7d8"),
                              word("d4c93e7a58b1f0263c9d5e8f7a6b4c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b"),
                              Uint256(1).to_be(), base::subtract(p256_curve::order(), Uint256(1))->to_be()};

 private:
  Bytes stack_ = Bytes(256 * 1024);
};

TEST_F(P256Residue, TheComparisonSeesWhatIsLeft) {
  Bytes32 secret = secrets[0];
  const std::function<void()> leave = [&secret] {
    std::array<volatile std::uint8_t, 32> left;
    for (std::size_t i = 0; i < 32; i++) left[i] = secret[i];
  };
  const Bytes first = stack_after(leave);
  secret = secrets[1];
  EXPECT_GE(differences(first, stack_after(leave)), 24u);
}

TEST_F(P256Residue, APublicKeyLeavesNothingOfItsSecret) {
  Bytes32 secret = secrets[0];
  P256Key key{};
  bool done = false;
  const std::function<void()> call = [&] { done = p256::public_key(secret, key); };
  const Bytes first = stack_after(call);
  for (const Bytes32& other : secrets) {
    secret = other;
    EXPECT_EQ(differences(first, stack_after(call)), 0u) << to_hex(secret);
    EXPECT_TRUE(done);
  }
}

TEST_F(P256Residue, AnAgreementLeavesNothingOfItsSecrets) {
  const P256Key peer = *p256_curve::multiple_of_generator(Uint256(0x1234'5678));
  Bytes32 secret = secrets[0], shared{};
  bool done = false;
  const std::function<void()> call = [&] { done = p256::ecdh_x(secret, peer, shared); };
  const Bytes first = stack_after(call);
  for (const Bytes32& other : secrets) {
    secret = other;
    EXPECT_EQ(differences(first, stack_after(call)), 0u) << to_hex(secret);
    EXPECT_TRUE(done);
  }
}

}  // namespace
}  // namespace community::trusted::testing
