#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/cli/number_range.h"
#include "clients/cli/report.h"
#include "clients/cpp/client_result.h"

namespace facegate::cli {

// Adds --limit; 0 is no limit.
inline void AddLimit(CLI::App& app, size_t& limit) {
  app.add_option("--limit", limit, "Show at most N; all by default")
      ->check(WholeNumberBetween(1, std::numeric_limits<int64_t>::max()));
}

// All items of a paged list, at most `limit` (0: no limit). `fetch(page_size, token)` gets one
// page, `items(page)` names its repeated field. A server that never ends its list, or repeats a
// token, is not followed for ever.
template <typename Item, typename Fetch, typename Items>
ClientResult<std::vector<Item>> CollectPages(size_t limit, Fetch&& fetch, Items&& items) {
  constexpr size_t kPageSize = 1000;
  std::vector<Item> all;
  std::string token;
  while (true) {
    const size_t wanted = limit == 0 ? kPageSize : std::min(kPageSize, limit - all.size());
    auto page = fetch(static_cast<int32_t>(wanted), token);
    if (!page.ok()) return page.error();
    for (auto& item : *items(page.value())) {
      if (limit == 0 || all.size() < limit) all.push_back(std::move(item));
    }
    std::string next = page->next_page_token();
    if (next.empty() || next == token || (limit != 0 && all.size() >= limit)) return all;
    token = std::move(next);
  }
}

// Ends a command with what CollectPages found: the error, {"FIELD": [...]} as JSON, or what `print`
// prints.
template <typename Item, typename Print>
ExitCode FinishList(Session& session, std::string_view subject,
                    const ClientResult<std::vector<Item>>& all, const char* field,
                    const Print& print) {
  if (!all.ok()) return Fail(session, subject, all.error());
  if (session.json) {
    Json json = Json::array();
    for (const Item& item : *all) json.push_back(ToJson(item));
    PrintJson(session, Json{{field, std::move(json)}});
  } else {
    print();
  }
  return ExitCode::kOk;
}

}  // namespace facegate::cli
