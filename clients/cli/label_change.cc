#include "clients/cli/label_change.h"

#include <fmt/format.h>

#include <set>

#include "clients/cli/report.h"

namespace facegate::cli {

ClientResult<v1::UpdateIdentityRequest> ParseLabelChange(const std::vector<std::string>& changes,
                                                         bool replace) {
  v1::UpdateIdentityRequest request;
  if (replace) request.mutable_update_mask()->add_paths("labels");
  if (changes.empty() && !replace) {
    return LocalError("there is nothing to change; expected KEY=VALUE or KEY-");
  }
  std::set<std::string> keys;
  for (const std::string& change : changes) {
    const size_t equals = change.find('=');
    const bool sets = equals != std::string::npos;
    if (!sets && !change.ends_with('-')) {
      return LocalError(fmt::format("{} is neither KEY=VALUE nor KEY-", change));
    }
    const std::string key = change.substr(0, sets ? equals : change.size() - 1);
    if (key.empty()) return LocalError(fmt::format("{} has no key", change));
    if (!keys.insert(key).second) return LocalError(fmt::format("{} is given twice", key));
    if (!sets && replace) {
      return LocalError(
          fmt::format("{}: --replace removes every label that is not given already", change));
    }
    if (sets) (*request.mutable_identity()->mutable_labels())[key] = change.substr(equals + 1);
    if (!replace) request.mutable_update_mask()->add_paths("labels." + key);
  }
  return request;
}

}  // namespace facegate::cli
