// LogLines: what a service under test has logged, from any thread.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "aiserve/core/log.hpp"

namespace aiserve::http {

class LogLines {
 public:
  LogSink sink() {
    return [this](LogLevel, std::string_view line) {
      const std::scoped_lock lock(mutex_);
      text_.append(line).append("\n");
    };
  }
  bool contain(std::string_view text) const {
    const std::scoped_lock lock(mutex_);
    return text_.find(text) != std::string::npos;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace aiserve::http
