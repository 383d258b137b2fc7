#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "face/base/number_range.h"

// Tables of keys: all that a file of settings may say, a row for each key. A table is made for one
// object; its rows read texts into the object's members, check them, and write them as texts again.
// Where texts come from (YAML, a command line) and how errors are worded is up to who owns the
// table.
namespace facegate {

// What the values of a key may be: anything of its kind where nothing is said.
struct KeyLimits {
  KeyLimits() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a row names the range of an option as it is.
  KeyLimits(const NumberRange& numbers) : range(numbers), text(RangeText(numbers)) {}

  std::optional<NumberRange> range{};
  std::vector<std::string> choices{};
  std::string text{};     // of range or choices: "1 to 256", "sgd, adam"
  std::string example{};  // a value to show where the default is none that could be used
};

// Numbers from `min` to `max`. Bounds are shown as they are written: whole numbers in full, others
// in six digits (1e+06).
KeyLimits InRange(double min, double max);
KeyLimits InWholeRange(int64_t min, int64_t max);
template <std::integral Min, std::integral Max>
KeyLimits InRange(Min min, Max max) {
  return InWholeRange(static_cast<int64_t>(min), static_cast<int64_t>(max));
}
KeyLimits OneOf(std::vector<std::string> choices);
KeyLimits Example(std::string value);

enum class KeyKind { kSwitch, kWholeNumber, kNumber, kText };

// Why a text is no value of a key.
struct KeyFault {
  enum class Reason {
    kWrongKind,   // see Key::KindText()
    kOutOfRange,  // see KeyLimits::text
    kNoChoice     // the same
  };
  Reason reason;
  std::string text;
};

// One row: a key's name, the member that holds its value, what that may be, and a sentence on it
// for the help. The member must outlive the row.
class Key {
 public:
  // An optional number is "auto" where there is none.
  using Member = std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::optional<double>*,
                              std::string*, std::vector<double>*, std::vector<std::string>*>;

  Key(std::string_view name, Member member, std::string_view sentence)
      : Key(name, member, KeyLimits(), sentence) {}
  Key(std::string_view name, Member member, KeyLimits limits, std::string_view sentence);

  std::string_view name() const { return name_; }
  std::string_view sentence() const { return sentence_; }
  const KeyLimits& limits() const { return limits_; }

  // Of each value where the key is a list.
  KeyKind kind() const;
  bool is_list() const;
  bool may_be_auto() const;
  // "a whole number", "a list of texts".
  std::string KindText() const;

  // Sets the member: to the one text, or to all of them where the key is a list. Numbers are
  // decimal, a switch is "true" or "false". On a fault the member stays as it is.
  std::optional<KeyFault> Set(const std::vector<std::string>& texts) const;
  // The member's value, in texts that Set() takes.
  std::vector<std::string> Texts() const;

  // "; did you mean \"sgd\"?" where one of the choices is near to `text`, else nothing.
  std::string MeantChoice(std::string_view text) const;

 private:
  std::string_view name_;
  Member member_;
  KeyLimits limits_;
  std::string_view sentence_;
};

class KeyTable {
 public:
  KeyTable(std::initializer_list<Key> keys) : keys_(keys) {}

  std::vector<Key>::const_iterator begin() const { return keys_.begin(); }
  std::vector<Key>::const_iterator end() const { return keys_.end(); }

  // Null where there is none. Valid while the table lives.
  const Key* Find(std::string_view name) const;
  // "; did you mean \"data.batch\"?" where a key's name is near to `name`, else nothing. A key of a
  // section, "section.key", is near too where its section was left out or is another one.
  std::string MeantKey(std::string_view name) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace facegate
