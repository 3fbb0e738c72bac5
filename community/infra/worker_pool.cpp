// SPDX-License-Identifier: Apache-2.0
// A plain mutex, a condition and threads: jobs here last a hundred microseconds at least, so nothing cleverer pays.
#include "community/infra/api/worker_pool.hpp"

#include <pthread.h>

#include <cassert>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "community/infra/completion.hpp"

namespace community::infra {

struct WorkerPool::Body {
  struct Job {
    std::function<void()> work;
    std::shared_ptr<Completion> completion;
  };
  WorkerPoolOptions options;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::deque<Job> jobs;
  bool stopped = false;
  std::vector<std::thread> threads;

  void work() {
    pthread_setname_np(pthread_self(), options.name.c_str());
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [this] { return stopped || !jobs.empty(); });
      if (stopped) return;
      Job job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job.work();
      job.work = nullptr;
      job.completion->finish({});
      job.completion.reset();
      lock.lock();
    }
  }
};

WorkerPool::WorkerPool(WorkerPoolOptions options) : body_(std::make_unique<Body>()) {
  assert(options.threads > 0 && options.name.size() <= 15);
  body_->options = std::move(options);
  for (std::size_t i = 0; i < body_->options.threads; i++)
    body_->threads.emplace_back([body = body_.get()] { body->work(); });
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::stop() {
  std::deque<Body::Job> dropped;
  {
    const std::lock_guard lock(body_->mutex);
    body_->stopped = true;
    dropped.swap(body_->jobs);
  }
  body_->wake.notify_all();
  for (auto& thread : body_->threads)
    if (thread.joinable()) thread.join();
  for (auto& job : dropped) job.completion->finish(fail(ErrorCode::closed, body_->options.name + " was stopped"));
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(body_->mutex);
  return body_->jobs.size();
}

Task<Result<void>> WorkerPool::run_erased(std::function<void()> job) {
  auto completion = std::make_shared<Completion>(co_await boost::asio::this_coro::executor);
  std::optional<Error> refusal;
  {
    const std::lock_guard lock(body_->mutex);
    if (body_->stopped) {
      refusal = Error{ErrorCode::closed, body_->options.name + " was stopped"};
    } else if (body_->jobs.size() >= body_->options.max_queued) {
      refusal = Error{ErrorCode::queue_full,
                      body_->options.name + " has " + std::to_string(body_->jobs.size()) + " jobs waiting"};
    } else {
      body_->jobs.push_back({std::move(job), completion});
    }
  }
  if (refusal) co_return tl::unexpected<Error>(std::move(*refusal));
  body_->wake.notify_one();
  co_return co_await completion->wait();
}

}  // namespace community::infra
