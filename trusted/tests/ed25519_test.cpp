// SPDX-License-Identifier: Apache-2.0
// What trusted/ed25519 promises about its secrets: the same steps for each of them, and nothing left on the stack. That
// it signs by RFC 8032 is proved where the bodies are compared (embedded_crypto_test.cpp, bodies_test.cpp).
#include "trusted/ed25519/ed25519.hpp"
#include "trusted/tests/support/residue.hpp"
#include "trusted/tests/support/taint.hpp"

namespace community::trusted::testing {
namespace {

class Ed25519Residue : public ResidueTest {
 protected:
  void SetUp() override {
    ResidueTest::SetUp();
    if (IsSkipped()) return;
    // What the dynamic linker leaves behind when it first finds a function is not of interest.
    ed25519::sign(secrets[0], message, signature);
    ed25519::public_key(secrets[0], key);
  }

  // All zeros and all ones among them: every value is a secret.
  const Bytes32 secrets[4] = {word("7f3a5c9e1b2d4f60718293a4b5c6d7e8f90a1b2c3d4e5f6071829304a5b6c7d8"),
                              word("d4c93e7a58b1f0263c9d5e8f7a6b4c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b"), Bytes32{},
                              word("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")};
  // Outside of the stack that is looked at, as are the secrets.
  const Bytes message = Bytes(300, 0x5a);
  Bytes32 key{};
  std::array<std::uint8_t, 64> signature{};
};

TEST_F(Ed25519Residue, APublicKeyLeavesNothingOfItsSecret) {
  Bytes32 secret = secrets[0];
  const std::function<void()> call = [&] { ed25519::public_key(secret, key); };
  const Bytes first = stack_after(call);
  for (const Bytes32& other : secrets) {
    secret = other;
    EXPECT_EQ(differences(first, stack_after(call)), 0u) << to_hex(secret);
  }
}

TEST_F(Ed25519Residue, ASignatureLeavesNothingOfItsSecret) {
  Bytes32 secret = secrets[0];
  const std::function<void()> call = [&] { ed25519::sign(secret, message, signature); };
  const Bytes first = stack_after(call);
  for (const Bytes32& other : secrets) {
    secret = other;
    EXPECT_EQ(differences(first, stack_after(call)), 0u) << to_hex(secret);
  }
}

class Ed25519Taint : public TaintTest {
 protected:
  static void expect_nothing_reported(const std::string& function) {
    const Report run = run_under_memcheck(COMMUNITY_ED25519_TAINT, function);
    EXPECT_NE(run.output.find("the mark went through"), std::string::npos) << run.output;
    EXPECT_TRUE(run.reported.empty()) << run.output;
  }
};

TEST_F(Ed25519Taint, ABranchWouldBeReported) {
  EXPECT_EQ(run_under_memcheck(COMMUNITY_ED25519_TAINT, "branch").reported.size(), 1u);
}

TEST_F(Ed25519Taint, APublicKeyTakesTheSameStepsForEverySecret) { expect_nothing_reported("public_key"); }

TEST_F(Ed25519Taint, ASignatureTakesTheSameStepsForEverySecret) { expect_nothing_reported("sign"); }

}  // namespace
}  // namespace community::trusted::testing
