/* SPDX-License-Identifier: MIT */
#include "common/object.h"
#include "common/fields.h"

static bool part_is_sound(struct kozo_str part)
{
    for (uint64_t i = 0; i < part.len; i++)
        if ((unsigned char)part.at[i] < ' ' || part.at[i] == 0x7f)
            return false;
    return part.len > 0 && !kozo_str_is(part, ".") && !kozo_str_is(part, "..");
}

bool path_is_sound(struct kozo_str path)
{
    if (path.len > PATH_BYTES)
        return false;
    if (path.len == 0)
        return true;
    if (path.at[path.len - 1] == '/')
        return false;
    while (path.len > 0)
        if (!part_is_sound(text_cut(&path, '/')))
            return false;
    return true;
}

/* Lower-case letters and hyphens. */
static bool is_word(struct kozo_str s)
{
    for (uint64_t i = 0; i < s.len; i++)
        if ((s.at[i] < 'a' || s.at[i] > 'z') && s.at[i] != '-')
            return false;
    return s.len > 0;
}

static bool parse_power(struct kozo_str text, struct object *object)
{
    object->target = text;
    object->power = text_cut(&object->target, '/');
    return is_word(object->power) &&
           (object->power.len == text.len || field_is_name(object->target));
}

bool object_parse(struct kozo_str name, struct object *object)
{
    struct kozo_str rest = name, provider = text_cut(&rest, ':');

    if (name.len > OBJECT_BYTES || provider.len == 0 || rest.len == 0)
        return false;
    *object = (struct object){ .provider = provider };
    if (rest.at[0] != '/')
        return parse_power(rest, object);
    object->path = (struct kozo_str){ rest.at + 1, rest.len - 1 };
    return path_is_sound(object->path);
}
