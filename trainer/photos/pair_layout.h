#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/text_table.h"

namespace facegate {

enum class PairForm {
  kLfw,      // NAME I J, or NAME I NAME J
  kLabelled  // two photos and whether they show one person, in columns
};

// Says where a list of pairs has what.
struct PairLayout {
  Separator separator = Separator::kBlanks;
  PairForm form = PairForm::kLabelled;
  // A first line of numbers announces these: folds (0 where it is one number), and pairs.
  std::optional<std::pair<size_t, size_t>> announced;
  bool has_header = false;  // the first row names the columns, or announces
  // The columns of kLabelled.
  size_t columns = 3;
  size_t first_column = 0;
  size_t second_column = 1;
  size_t label_column = 2;
  // Tells people which of the columns that a header names were chosen; empty where there was no
  // choice.
  std::string remark{};

  // Nothing where the row is not of this layout.
  std::optional<FacePair> Parse(const TextRow& row) const;
  std::string_view Expected() const;
};

// Decides by the first two hundred rows: the layout that fits the most of them.
PairLayout LayoutOfPairs(std::string_view text);

}  // namespace facegate
