#include "tests/bench/gallery_load_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <utility>

namespace facegate {
namespace {

using std::chrono::steady_clock;

std::string GoalOf(const Figure& figure) {
  if (figure.at_most.has_value()) return fmt::format("<= {:.5g}", *figure.at_most);
  if (figure.at_least.has_value()) return fmt::format(">= {:.5g}", *figure.at_least);
  return "";
}

std::string VerdictOn(const Figure& figure) {
  if (!figure.HasGoal()) return "";
  return figure.IsMet() ? "met" : "MISSED";
}

}  // namespace

Status CallTimes::Measure(double seconds, const std::function<Status()>& call) {
  const auto end = steady_clock::now() + std::chrono::duration<double>(seconds);
  for (auto begin = steady_clock::now();;) {
    FACEGATE_RETURN_IF_ERROR(call());
    const auto now = steady_clock::now();
    times_.push_back(std::chrono::duration<double, std::milli>(now - begin).count());
    if (now >= end) return OkStatus();
    begin = now;
  }
}

double CallTimes::Quantile(double share) const {
  if (times_.empty()) return 0.0;
  std::vector<double> sorted = times_;
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(count, 1, sorted.size()) - 1];
}

Callers::Callers(size_t threads, const std::function<Status(size_t)>& call) : errors_(threads) {
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, i, call] {
      while (!stopped_.load() && errors_[i].ok()) {
        errors_[i] = call(i);
        calls_.fetch_add(1);
      }
    });
  }
}

Status Callers::Stop() {
  stopped_.store(true);
  threads_.clear();
  for (const Status& error : errors_) FACEGATE_RETURN_IF_ERROR(error);
  return OkStatus();
}

StatusOr<double> RateOf(size_t threads, double seconds, const std::function<Status(size_t)>& call) {
  const auto begin = steady_clock::now();
  Callers callers(threads, call);
  std::this_thread::sleep_until(begin + std::chrono::duration<double>(seconds));
  FACEGATE_RETURN_IF_ERROR(callers.Stop());
  return static_cast<double>(callers.calls()) /
         std::chrono::duration<double>(steady_clock::now() - begin).count();
}

void Figures::Add(Figure figure) {
  if (figures_.empty()) {
    fmt::print("{:<58} {:>10} {:<7} {:>10}  {}\n", "figure", "value", "", "goal", "verdict");
  }
  fmt::print("{:<58} {:>10.4g} {:<7} {:>10}  {}\n", figure.name, figure.value, figure.unit,
             GoalOf(figure), VerdictOn(figure));
  std::fflush(stdout);
  figures_.push_back(std::move(figure));
}

Status Figures::WriteJson(const std::string& file) const {
  if (file.empty()) return OkStatus();
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Figure& figure : figures_) {
    nlohmann::ordered_json row{
        {"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}};
    if (figure.at_most.has_value()) row["at_most"] = *figure.at_most;
    if (figure.at_least.has_value()) row["at_least"] = *figure.at_least;
    if (figure.HasGoal()) row["met"] = figure.IsMet();
    json.push_back(std::move(row));
  }
  std::ofstream out(file);
  out << json.dump(1) << '\n';
  return out.good() ? OkStatus() : Internal("cannot write " + file);
}

}  // namespace facegate
