#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "index/labels.h"

namespace facegate {

// Which identities have a label, by key and value. Const calls may run together; any other call
// must run alone. What it adds is prepared before, so that adding takes no memory and cannot fail.
class LabelIndex {
 private:
  using Label = std::pair<std::string, std::string>;
  using LabelView = std::pair<std::string_view, std::string_view>;
  struct Less {
    using is_transparent = void;
    static LabelView ViewOf(const Label& label) { return {label.first, label.second}; }
    static LabelView ViewOf(const LabelView& label) { return label; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return ViewOf(a) < ViewOf(b);
    }
  };
  using Identities = std::set<uint64_t>;
  using Map = std::map<Label, Identities, Less>;

 public:
  // Labels that an identity is to have.
  class Addition {
   private:
    friend class LabelIndex;
    std::vector<std::pair<Map::node_type, Identities::node_type>> nodes_;
  };
  static Addition Prepare(uint64_t identity, const Labels& labels);

  // Those that the identity has already make no difference.
  void Add(Addition&& addition);
  void Remove(uint64_t identity, const Labels& labels);

  // Of the identities that have all of `labels`, of which there is one at least, those with numbers
  // from `from` on; looks at some of them alone and says from where to go on, or nothing at the
  // end.
  std::optional<uint64_t> List(const Labels& labels, uint64_t from,
                               std::vector<uint64_t>& identities) const;

 private:
  Map identities_;
};

}  // namespace facegate
