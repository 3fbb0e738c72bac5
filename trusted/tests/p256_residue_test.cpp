// SPDX-License-Identifier: Apache-2.0
// What trusted/p256 leaves on the stack (support/residue.hpp).
#include "trusted/p256/p256.hpp"
#include "trusted/tests/support/p256_curve.hpp"
#include "trusted/tests/support/residue.hpp"

namespace community::trusted::testing {
namespace {

class P256Residue : public ResidueTest {
 protected:
  void SetUp() override {
    ResidueTest::SetUp();
    if (IsSkipped()) return;
    // What the dynamic linker leaves behind when it first finds a function is not of interest.
    P256Key key{};
    Bytes32 shared{};
    ASSERT_TRUE(p256::public_key(secrets[0], key));
    ASSERT_TRUE(p256::ecdh_x(secrets[0], key, shared));
  }

  // Outside of the stack that is looked at, as are the results. One of each end, and two without a pattern.
  const Bytes32 secrets[4] = {word("7f3a5c9e1b2d4f60718293a4b5c6d7e8f90a1b2c3d4e5f6071829304a5b6c7d8"),
                              word("d4c93e7a58b1f0263c9d5e8f7a6b4c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b"),
                              Uint256(1).to_be(), base::subtract(p256_curve::order(), Uint256(1))->to_be()};
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
