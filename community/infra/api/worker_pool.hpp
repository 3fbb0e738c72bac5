// SPDX-License-Identifier: Apache-2.0
// Threads for work that would block a loop: SQL, EVM runs, crypto batches. Named and bounded; a full queue refuses
// instead of growing.
#pragma once
#include <exception>
#include <type_traits>

#include "community/infra/api/task.hpp"

namespace community::infra {

struct WorkerPoolOptions {
  // At most 15 characters, the limit of a thread's name on Linux.
  std::string name;
  std::size_t threads = 1;
  // Jobs waiting beyond the running ones. 4,096 jobs of a few hundred bytes stay around one megabyte.
  std::size_t max_queued = 4'096;
};

class WorkerPool {
 public:
  explicit WorkerPool(WorkerPoolOptions options);
  // Finishes what runs, drops what waits (its callers see closed), joins the threads. Call before the loops go.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `f` on a thread of the pool and returns its value on the caller's loop; queue_full or closed when it did not
  // run. A caller that is cancelled goes on when the job has ended, so that `f` may use what lives as long as the task.
  // A named lambda is copied, one that cannot be copied is moved from.
  template <class F>
  auto run(F&& f) -> Task<Result<std::invoke_result_t<std::remove_cvref_t<F>&>>>;

  std::size_t queued() const;
  void stop();

 private:
  Task<Result<void>> run_erased(std::function<void()> job);
  template <class T, class Shared>
  Task<Result<T>> finish(std::shared_ptr<Shared> shared, std::function<void()> job);
  struct Body;
  std::unique_ptr<Body> body_;
};

namespace detail {
template <class F, class T>
struct PoolJob {
  explicit PoolJob(F function) : f(std::move(function)) {}
  F f;
  std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>> value{};
  std::exception_ptr failure;

  void call() {
    try {
      if constexpr (std::is_void_v<T>) {
        f();
      } else {
        value.emplace(f());
      }
    } catch (...) {
      failure = std::current_exception();
    }
  }
};
}  // namespace detail

template <class F>
auto WorkerPool::run(F&& f) -> Task<Result<std::invoke_result_t<std::remove_cvref_t<F>&>>> {
  static_assert(detail::kSafeInAwait<F>, "name the lambda first: see the warning in task.hpp");
  using Closure = std::remove_cvref_t<F>;
  using T = std::invoke_result_t<Closure&>;
  auto shared = std::make_shared<detail::PoolJob<Closure, T>>(detail::take_closure(f));
  return finish<T>(shared, [shared] { shared->call(); });
}

template <class T, class Shared>
Task<Result<T>> WorkerPool::finish(std::shared_ptr<Shared> shared, std::function<void()> job) {
  auto done = co_await run_erased(std::move(job));
  if (!done) co_return tl::unexpected<Error>(std::move(done.error()));
  if (shared->failure) std::rethrow_exception(shared->failure);
  if constexpr (std::is_void_v<T>) {
    co_return Result<T>{};
  } else {
    co_return Result<T>{std::move(*shared->value)};
  }
}

}  // namespace community::infra
