// SPDX-License-Identifier: Apache-2.0
// What trusted/p256 leaves on the stack. Each call runs on a stack of its own, which is searched afterwards for the
// words of the secret and of the shared secret.
#include <gtest/gtest.h>
#include <ucontext.h>

#include <algorithm>
#include <functional>

#include "trusted/p256/p256.hpp"
#include "trusted/tests/support/p256_curve.hpp"

namespace community::trusted::testing {
namespace {

class OwnStack {
 public:
  OwnStack() : memory_(256 * 1024, 0xee) {}

  void run(std::function<void()> call) {
    // Static, since makecontext passes no pointers. One test at a time.
    static std::function<void()> current;
    current = std::move(call);
    ucontext_t here, there;
    getcontext(&there);
    there.uc_stack.ss_sp = memory_.data();
    there.uc_stack.ss_size = memory_.size();
    there.uc_link = &here;
    makecontext(
        &there, [] { current(); }, 0);
    swapcontext(&here, &there);
  }

  // How many of a number's four 64-bit words are there, as limbs or as bytes of the big-endian number.
  int words_found(const Bytes32& number) const {
    int found = 0;
    for (std::size_t word = 0; word < 32; word += 8) {
      const ByteView big_endian(number.data() + word, 8);
      const Bytes limb(big_endian.rbegin(), big_endian.rend());
      found += holds(big_endian) || holds(limb);
    }
    return found;
  }

 private:
  bool holds(ByteView bytes) const {
    return std::search(memory_.begin(), memory_.end(), bytes.begin(), bytes.end()) != memory_.end();
  }

  Bytes memory_;
};

class P256Residue : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer keeps stacks of its own";
#endif
  }

  const Bytes32 secret = word("7f3a5c9e1b2d4f60718293a4b5c6d7e8f90a1b2c3d4e5f6071829304a5b6c7d8");
  OwnStack stack;
};

TEST_F(P256Residue, TheSearchFindsWhatIsLeft) {
  stack.run([this] {
    const Uint256 limbs = Uint256::from_be(secret);
    std::array<volatile std::uint64_t, 4> left;
    for (std::size_t i = 0; i < 4; i++) left[i] = limbs.limb[i];
  });
  EXPECT_EQ(stack.words_found(secret), 4);
}

TEST_F(P256Residue, APublicKeyLeavesNothingOfTheSecret) {
  P256Key key{};
  bool done = false;
  stack.run([&] { done = p256::public_key(secret, key); });
  ASSERT_TRUE(done);
  EXPECT_EQ(stack.words_found(secret), 0);
}

TEST_F(P256Residue, AnAgreementLeavesNothingOfTheSecretsButItsAnswer) {
  const P256Key peer = *p256_curve::multiple_of_generator(Uint256(0x1234'5678));
  Bytes32 shared{};
  bool done = false;
  stack.run([&] { done = p256::ecdh_x(secret, peer, shared); });
  ASSERT_TRUE(done);
  EXPECT_EQ(to_hex(shared),
            to_hex(ByteView(*p256_curve::combine(Uint256::from_be(secret), peer, Uint256(0))).first(32)));
  EXPECT_EQ(stack.words_found(secret), 0);
  EXPECT_EQ(stack.words_found(shared), 0);
}

}  // namespace
}  // namespace community::trusted::testing
