#include "server/rpc/resource_name.h"

#include <fmt/format.h>

#include <charconv>

#include "index/resource_id.h"

namespace facegate {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The id up to the next slash or the end; empty when it is none.
std::string_view TakeId(std::string_view& text) {
  const std::string_view id = text.substr(0, text.find('/'));
  if (!IsResourceId(id)) return {};
  text.remove_prefix(id.size());
  return id;
}

}  // namespace

std::string CollectionName(std::string_view collection) {
  return fmt::format("collections/{}", collection);
}

std::string IdentityName(std::string_view collection, std::string_view identity) {
  return fmt::format("collections/{}/identities/{}", collection, identity);
}

std::string TemplateName(std::string_view collection, std::string_view identity, uint64_t id) {
  return fmt::format("collections/{}/identities/{}/templates/{}", collection, identity, id);
}

std::optional<TemplatePath> ParseTemplateName(std::string_view name) {
  TemplatePath path;
  if (!TakePrefix(name, "collections/")) return std::nullopt;
  path.collection = TakeId(name);
  if (path.collection.empty() || !TakePrefix(name, "/identities/")) return std::nullopt;
  path.identity = TakeId(name);
  if (path.identity.empty() || !TakePrefix(name, "/templates/")) return std::nullopt;
  if (name.empty() || name.front() == '0') return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto [parsed_to, error] = std::from_chars(name.data(), end, path.template_id);
  if (error != std::errc() || parsed_to != end) return std::nullopt;
  return path;
}

}  // namespace facegate
