// SPDX-License-Identifier: Apache-2.0
// A bounded queue between tasks of one loop. The bound is the back-pressure: a fast producer waits, it never grows
// memory.
#pragma once
#include <cassert>
#include <deque>

#include "community/infra/api/task.hpp"

namespace community::infra {

template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : capacity_(capacity) { assert(capacity > 0); }

  // False when there is no room or the channel is closed; `value` is then untouched.
  bool try_push(T& value) {
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(value));
    if (items_.size() == capacity_) room_.reset();
    filled_.set();
    return true;
  }

  // Waits for room; false when the channel was closed.
  Task<bool> push(T value) {
    if (items_.size() < capacity_) room_.set();
    while (!try_push(value)) {
      if (closed_) co_return false;
      room_.reset();
      co_await room_.wait();
    }
    co_return true;
  }

  // The next value in order; nothing once the channel is closed and empty.
  Task<std::optional<T>> pop() {
    while (items_.empty()) {
      if (closed_) co_return std::nullopt;
      filled_.reset();
      co_await filled_.wait();
    }
    co_return take();
  }

  std::optional<T> try_pop() {
    if (items_.empty()) return std::nullopt;
    return take();
  }

  // What is inside can still be taken.
  void close() {
    closed_ = true;
    filled_.set();
    room_.set();
  }
  bool is_closed() const { return closed_; }
  std::size_t size() const { return items_.size(); }

 private:
  std::optional<T> take() {
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    room_.set();
    return value;
  }

  std::size_t capacity_;
  std::deque<T> items_;
  Event filled_;
  Event room_;
  bool closed_ = false;
};

}  // namespace community::infra
