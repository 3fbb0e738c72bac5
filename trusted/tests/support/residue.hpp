// SPDX-License-Identifier: Apache-2.0
// What a function leaves on the stack: nothing that depends on its secret. Each call runs on a stack of its own,
// painted before; two calls that differ in the secret alone have to leave the same bytes everywhere.
#pragma once
#include <gtest/gtest.h>
#include <ucontext.h>

#include <functional>

#include "trusted/tests/support/bytes.hpp"

namespace community::trusted::testing {

class ResidueTest : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer keeps stacks of its own";
#endif
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

 private:
  Bytes stack_ = Bytes(256 * 1024);
};

}  // namespace community::trusted::testing
