#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "face/base/status.h"
#include "index/gallery.h"
#include "index/store/template_record.h"

// A gallery checks the arguments of its calls by these.
namespace facegate {

Status CheckNewCollection(std::string_view collection, const ModelKey& model, int embedding_size,
                          const CollectionSettings& settings);
Status CheckChange(const CollectionChange& change);
// kModelMismatch, naming both.
Status CheckModel(const StoredCollection& collection, const ModelKey& model);
// kEmbeddingInvalid unless it is as long as the collection's.
Status CheckSize(const StoredCollection& collection, const Embedding& embedding);
Status CheckTemplates(const StoredCollection& collection, std::span<const NewTemplate> templates);

// kQuotaExceeded when an identity would have more than kMaxTemplatesOfIdentity.
Status CheckTemplateCount(size_t count);

// kTemplateNotFound.
Status TemplateNotFound();

}  // namespace facegate
