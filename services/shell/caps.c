/* SPDX-License-Identifier: MIT */
/* caps: who holds what, and from whom it came. */
#include "shell/caps.h"
#include "shell/json.h"

#include <kozo/error.h>
#include <kozo/print.h>
#include <kozo/start.h>
#include <kozo/string.h>

constexpr uint32_t known_max = 1024;
constexpr uint64_t first_program = 1ull
                                   << 32; /* an index from here on: of a program of the shell's */
constexpr uint32_t depth_max = 64;
constexpr uint64_t lease_slots = 128; /* two for each lease */

/* A slot of a service, of a program, or of the leases that init lends to policy. */
struct known {
    uint64_t id, object; /* identities; 0: not asked for */
    uint64_t what, badge;
    uint64_t index, slot;
    char name[32];
};

static struct known known[known_max];
static uint32_t knowns;
static struct services services;

struct options {
    struct kozo_str holder; /* empty = all */
    bool tree, json;
};

/* ---- asking ---- */

static struct kozo_endpoint system_cap(void) { return kozo_cap_endpoint("system"); }

static enum kozo_err ask_cap(uint64_t index, uint64_t from, struct kozo_msg *m,
                             struct system_cap_rep *rep)
{
    kozo_msg_init(m);
    return system_call_cap(system_cap(), m, &(struct system_cap_req){ index, from }, rep);
}

/* The program of an index; null when it is none's. */
static const struct program_row *program_row(uint64_t index)
{
    uint64_t i = index - first_program;

    return index >= first_program && i < services.programs ? &services.program[i] : nullptr;
}

static enum kozo_err ask_tree(uint64_t index, uint64_t slot, uint64_t skip, struct kozo_msg *m,
                              struct system_tree_rep *rep)
{
    const struct program_row *p = program_row(index);

    return p != nullptr ? services_ask_tree_in(&services, p->program, slot, skip, m, rep)
                        : services_ask_tree(index, slot, skip, m, rep);
}

/* The identity of a slot, 0 when nothing is in it. */
static uint64_t id_of(uint64_t index, uint64_t slot)
{
    struct system_tree_rep rep;
    struct kozo_msg m;

    return ask_tree(index, slot, KOZO_TREE_SKIP_MAX, &m, &rep) == KOZO_OK ? rep.id : 0;
}

static enum kozo_err learn_service(uint64_t index)
{
    struct system_cap_rep c = {};
    struct kozo_msg m;
    enum kozo_err err;

    for (uint64_t from = 1; (err = ask_cap(index, from, &m, &c)) == KOZO_OK; from = c.slot + 1) {
        struct known *k = &known[knowns];

        if (knowns == known_max)
            return KOZO_ERR_LIMIT;
        *k = (struct known){ .what = c.what, .badge = c.badge, .index = index, .slot = c.slot };
        kozo_str_copy(k->name, sizeof k->name, c.name);
        knowns++;
    }
    return err == KOZO_ERR_NOT_FOUND ? KOZO_OK : err;
}

/* The shell made its space, so it may look by itself. */
static enum kozo_err learn_program(uint32_t i)
{
    const struct program *p = services.program[i].program;

    for (uint64_t slot = 1; slot < 1u << PROGRAM_SLOT_BITS; slot++) {
        struct kozo_verified v = kozo_cap_verify(kozo_in(p->process.cnode, slot), kozo_own(0));
        struct known *k = &known[knowns];

        if (v.err != KOZO_OK || KOZO_VERIFY_KIND(v.what) == KOZO_KIND_NULL)
            continue;
        if (knowns == known_max)
            return KOZO_ERR_LIMIT;
        *k = (struct known){
            .what = v.what, .badge = v.badge, .index = first_program + i, .slot = slot
        };
        (void)strlcpy(k->name, program_cap_name(p, slot), sizeof k->name);
        knowns++;
    }
    return KOZO_OK;
}

static void learn_leases(void)
{
    for (uint64_t slot = 1; slot < lease_slots && knowns < known_max; slot++) {
        uint64_t id = id_of(KOZO_SYSTEM_OF_LEASES, slot);

        if (id != 0)
            known[knowns++] =
                (struct known){ .id = id, .index = KOZO_SYSTEM_OF_LEASES, .slot = slot };
    }
}

/* All slots of all services and programs; with their identities, if they are to be found by these. */
static enum kozo_err learn(bool ids)
{
    enum kozo_err err = services_look(&services);

    knowns = 0;
    for (uint32_t i = 0; i < services.count && err == KOZO_OK; i++)
        err = learn_service(i);
    for (uint32_t i = 0; i < services.programs && err == KOZO_OK; i++)
        err = learn_program(i);
    for (uint32_t i = 0; ids && i < knowns; i++)
        known[i].id = id_of(known[i].index, known[i].slot);
    if (ids && err == KOZO_OK)
        learn_leases();
    return err;
}

static const struct known *find_id(uint64_t id)
{
    for (uint32_t i = 0; i < knowns; i++)
        if (known[i].id == id)
            return &known[i];
    return nullptr;
}

/* ---- telling ---- */

static struct {
    int holder, name; /* as wide as the longest needs */
} columns;

static void measure(void)
{
    columns.holder = services_columns(&services, 12);
    columns.name = 14;
    for (uint32_t i = 0; i < knowns; i++)
        if ((int)strlen(known[i].name) > columns.name)
            columns.name = (int)strlen(known[i].name);
}

static const char *letters_of(char to[8], uint64_t what)
{
    static const char letters[] = "rwgmx";

    for (unsigned i = 0; i < 5; i++)
        to[i] = (KOZO_VERIFY_RIGHTS(what) & 1u << i) != 0 ? letters[i] : '-';
    to[5] = '\0';
    return to;
}

static const char *holder_of(const struct known *k)
{
    if (program_row(k->index) != nullptr)
        return program_row(k->index)->label;
    return k->index == KOZO_SYSTEM_OF_LEASES ? "(lease)" : services.row[k->index].name;
}

static bool print_known(const struct known *k)
{
    char rights[8];

    return shell_print("%-*s %4llu %-*s %-12s %s %02x %#llx\n", columns.holder, holder_of(k),
                       (unsigned long long)k->slot, columns.name, k->name,
                       kozo_kind_name(KOZO_VERIFY_KIND(k->what)), letters_of(rights, k->what),
                       KOZO_VERIFY_USER(k->what), (unsigned long long)k->badge);
}

/* The service whose Endpoint this is; null when it is none's. */
static const char *server_of(uint64_t object)
{
    for (uint32_t i = 0; i < knowns; i++)
        if (known[i].object == object && known[i].index < services.count &&
            strcmp(known[i].name, "serve") == 0)
            return services.row[known[i].index].name;
    return nullptr;
}

/*
 * What is in no slot of a service or program: init's own, above what it gave; below that also what threads and
 * spaces are made of.
 */
static void describe_rest(char *to, uint64_t size, const struct kozo_tree_entry *e,
                          const char *rest)
{
    uint32_t service = (uint32_t)e->badge - 1; /* identity.h */
    const char *server = server_of(e->object);

    if (KOZO_VERIFY_KIND(e->what) != KOZO_KIND_ENDPOINT)
        kozo_snprintf(to, size, "%s", rest);
    else if (service < services.count && e->badge >> 63 == 0)
        kozo_snprintf(to, size, "made for %s", services.row[service].name);
    else
        kozo_snprintf(to, size, "endpoint of %s", server != nullptr ? server : "init");
}

/* Where an entry of the tree is. */
static bool print_entry(const struct kozo_tree_entry *e, uint64_t depth, const char *rest)
{
    const struct known *k = find_id(e->slot);
    char rights[8], where[80] = "";

    if (k == nullptr)
        describe_rest(where, sizeof where, e, rest);
    else if (k->index == KOZO_SYSTEM_OF_LEASES)
        kozo_snprintf(where, sizeof where, "lease, in slot %llu", (unsigned long long)k->slot);
    else
        kozo_snprintf(where, sizeof where, "%s, slot %llu%s%s", holder_of(k),
                      (unsigned long long)k->slot, k->name[0] != '\0' ? ": " : "", k->name);
    return shell_print("%*s%-12s %s %02x %#llx  %s\n", (int)(2 * depth), "",
                       kozo_kind_name(KOZO_VERIFY_KIND(e->what)), letters_of(rights, e->what),
                       KOZO_VERIFY_USER(e->what), (unsigned long long)e->badge, where);
}

static uint64_t depth_of(const struct kozo_tree_entry *e) { return e->what >> 48; }

/* What was derived from it, indented by how far. */
static enum kozo_err print_below(const struct known *k, bool *goes_on)
{
    struct system_tree_rep rep = {};
    struct kozo_msg m;

    do {
        const struct kozo_tree_entry *e;
        enum kozo_err err = ask_tree(k->index, k->slot, rep.next, &m, &rep);

        if (err != KOZO_OK)
            return err == KOZO_ERR_EMPTY ? KOZO_OK : err;
        e = rep.entries.at;
        for (uint64_t i = 0; i < rep.entries.len / sizeof *e && *goes_on; i++)
            *goes_on = print_entry(&e[i], depth_of(&e[i]), "in no slot of a service or program");
    } while (rep.next != 0 && *goes_on);
    return KOZO_OK;
}

/* Who holds it, and what it is. */
static void json_known(struct json *j, const struct known *k)
{
    const struct program_row *p = program_row(k->index);

    if (p != nullptr) {
        json_text(j, "program", kozo_str(p->program->name));
        json_number(j, "job", p->program->job);
    } else
        json_text(j, "service", kozo_str(holder_of(k)));
    json_number(j, "slot", k->slot);
    json_text(j, "name", kozo_str(k->name));
}

static void json_cap(struct json *j, uint64_t what, uint64_t badge)
{
    char rights[8];

    json_text(j, "kind", kozo_str(kozo_kind_name(KOZO_VERIFY_KIND(what))));
    json_text(j, "rights", kozo_str(letters_of(rights, what)));
    json_number(j, "user_rights", KOZO_VERIFY_USER(what));
    json_number(j, "badge", badge);
}

static bool print_json(const struct known *k)
{
    char text[512];
    struct json j = json_begin(text, sizeof text);

    json_known(&j, k);
    json_cap(&j, k->what, k->badge);
    return shell_print_str(json_end(&j, ""));
}

/* An entry of a chain: what is in no slot that is listed is init's. */
static bool print_entry_json(const struct kozo_tree_entry *e)
{
    const struct known *k = find_id(e->slot);
    char text[512], what[80];
    struct json j = json_begin(text, sizeof text);

    if (k != nullptr && k->index == KOZO_SYSTEM_OF_LEASES)
        json_number(&j, "lease_slot", k->slot);
    else if (k != nullptr)
        json_known(&j, k);
    else {
        describe_rest(what, sizeof what, e, "");
        json_text(&j, "service", kozo_str("init"));
        json_null(&j, "slot");
        json_text(&j, "name", kozo_str(what));
    }
    json_cap(&j, e->what, e->badge);
    return shell_print_str(json_end(&j, ""));
}

/* ---- the whole tree ---- */

struct chain {
    uint64_t id; /* of the slot asked for ... */
    bool lease;  /* ... or of a lease, of which the holder, or if empty anybody, has something */
    struct kozo_str holder;
    uint32_t above; /* entries to the lease, once it has come */
    struct kozo_tree_entry entry[depth_max];
    uint32_t length; /* 0: it has not come yet */
};

static bool is_meant(struct kozo_str word, uint64_t index);

/* Whether the chain ends here. */
static bool is_end(struct chain *c, const struct kozo_tree_entry *e, uint64_t depth)
{
    const struct known *k;

    if (!c->lease)
        return e->slot == c->id;
    if (e->slot == c->id)
        c->above = (uint32_t)depth + 1;
    k = c->above > 0 && depth >= c->above ? find_id(e->slot) : nullptr;
    return k != nullptr && (c->holder.len == 0 || is_meant(c->holder, k->index));
}

/* An entry of the whole tree, in order: those above it are in the chain. */
static void take_entry(struct chain *c, const struct kozo_tree_entry *e)
{
    uint64_t depth = depth_of(e);

    for (uint32_t i = 0; i < knowns; i++)
        if (known[i].id == e->slot)
            known[i].object = e->object;
    if (c->length == 0 && depth < c->above)
        c->length = c->above; /* nothing of the lease is its holder's */
    if (c->length > 0 || depth >= depth_max)
        return;
    c->entry[depth] = *e;
    if (is_end(c, e, depth))
        c->length = (uint32_t)depth + 1;
}

static enum kozo_err walk(struct chain *c)
{
    struct system_tree_rep rep = {};
    struct kozo_msg m;

    do {
        const struct kozo_tree_entry *e;
        enum kozo_err err = ask_tree(KOZO_SYSTEM_OF_INIT, 0, rep.next, &m, &rep);

        if (err != KOZO_OK)
            return err;
        e = rep.entries.at;
        for (uint64_t i = 0; i < rep.entries.len / sizeof *e; i++)
            take_entry(c, &e[i]);
    } while (rep.next != 0);
    if (c->length == 0)
        c->length = c->above;
    return KOZO_OK;
}

/* Why a service holds nothing; null when it runs. */
static const char *why_none(uint32_t service)
{
    switch (services.row[service].state) {
    case KOZO_SYSTEM_RUNS:
        return nullptr;
    case KOZO_SYSTEM_WAITS:
        return "it has ended and holds nothing; its next life begins soon";
    case KOZO_SYSTEM_ENDED:
        return "it has ended and holds nothing; `restart` begins its next life";
    default:
        return "it has not been started, and holds nothing";
    }
}

/* ---- who is meant ---- */

/* A service by its name; where no service has it a program by its name, or by the number of its job. */
static bool is_meant(struct kozo_str word, uint64_t index)
{
    const struct program_row *p = program_row(index);
    uint64_t job;

    if (p == nullptr)
        return index < services.count && kozo_str_is(word, services.row[index].name);
    if (services_find(&services, word) < services.count)
        return false;
    if (kozo_parse_u64(word.at, word.len, &job))
        return job == p->program->job;
    return kozo_str_is(word, p->program->name);
}

/* Whether anybody is who holds something; what is wrong has been told if not, unless `quiet`. */
static bool is_holder(struct kozo_str word, bool quiet)
{
    uint32_t service = services_find(&services, word);

    for (uint32_t i = 0; i < services.programs; i++)
        if (is_meant(word, first_program + i))
            return true;
    if (kozo_str_is(word, "init"))
        (void)shell_fail(word, "what it holds is not listed; `caps` lists what it gave to others");
    else if (service == services.count)
        (void)shell_fail(word, "no such service or program; `ps` lists them");
    else if (!quiet && why_none(service) != nullptr)
        (void)shell_fail(word, why_none(service));
    else
        return true;
    return false;
}

const struct services *caps_learn(struct kozo_str holder)
{
    enum kozo_err err = learn(true);

    if (err != KOZO_OK)
        (void)shell_fail_err(kozo_str("why"), err);
    return err == KOZO_OK && is_holder(holder, false) ? &services : nullptr;
}

/* ---- caps ---- */

static bool read_options(const struct words *w, struct options *o)
{
    *o = (struct options){};
    for (uint32_t i = 1; i < w->count; i++) {
        if (kozo_str_is(w->word[i], "--tree"))
            o->tree = true;
        else if (kozo_str_is(w->word[i], "--json"))
            o->json = true;
        else if (o->holder.len == 0 && w->word[i].at[0] != '-')
            o->holder = w->word[i];
        else
            return false;
    }
    return !(o->tree && o->json);
}

static bool is_wanted(const struct options *o, const struct known *k)
{
    return k->index != KOZO_SYSTEM_OF_LEASES &&
           (o->holder.len == 0 || is_meant(o->holder, k->index));
}

static bool list_json(const struct options *o)
{
    const char *mark = "[";

    for (uint32_t i = 0; i < knowns; i++) {
        if (!is_wanted(o, &known[i]))
            continue;
        if (!shell_print_str(kozo_str(mark)) || !print_json(&known[i]))
            return false;
        mark = ",\n ";
    }
    return shell_print_str(kozo_str(mark[0] == '[' ? "[]\n" : "]\n"));
}

static uint32_t list_table(const struct options *o)
{
    bool goes_on;

    measure();
    goes_on = shell_print("%-*s %4s %-*s %-12s %-5s %-2s %s\n", columns.holder, "SERVICE", "SLOT",
                          columns.name, "NAME", "KIND", "MAY", "UR", "BADGE");
    for (uint32_t i = 0; i < knowns && goes_on; i++) {
        enum kozo_err err = KOZO_OK;

        if (!is_wanted(o, &known[i]))
            continue;
        goes_on = print_known(&known[i]);
        if (o->tree && goes_on)
            err = print_below(&known[i], &goes_on);
        if (err != KOZO_OK)
            return shell_fail_err(kozo_str("caps"), err);
    }
    return goes_on ? 0 : 1;
}

uint32_t command_caps(const struct words *w, uint32_t)
{
    struct options o;
    enum kozo_err err;

    if (!read_options(w, &o))
        return shell_usage(w->word[0], "", w->word[0]);
    err = learn(o.tree);
    if (err != KOZO_OK)
        return shell_fail_err(w->word[0], err);
    if (o.holder.len > 0 && !is_holder(o.holder, o.json))
        return 1;
    if (o.json)
        return list_json(&o) ? 0 : 1;
    if (o.tree)
        (void)walk(&(struct chain){});
    return list_table(&o);
}

/* ---- for why ---- */

/* A capability by the name it was given under, or by its slot. */
static const struct known *find_object(struct kozo_str holder, struct kozo_str object)
{
    uint64_t slot = 0;

    (void)kozo_parse_u64(object.at, object.len, &slot);
    for (uint32_t i = 0; i < knowns; i++)
        if (is_meant(holder, known[i].index) &&
            (kozo_str_is(object, known[i].name) || (slot != 0 && known[i].slot == slot)))
            return &known[i];
    return nullptr;
}

/* Finds the chain to what `c` says; `what` names it. False: what is wrong has been told. */
static bool find_chain(struct chain *c, struct kozo_str what)
{
    enum kozo_err err = walk(c);

    if (err == KOZO_OK && c->length == 0)
        err = KOZO_ERR_GONE;
    if (err != KOZO_OK)
        (void)shell_fail_err(what, err);
    return err == KOZO_OK;
}

/* As lines, or as members of a list of JSON. False when nobody takes it. */
static bool print_chain(const struct chain *c, bool json)
{
    const char *mark = "";

    for (uint32_t i = 0; i < c->length; i++) {
        const struct kozo_tree_entry *e = &c->entry[i];

        if (e->slot == 0)
            continue;
        if (json ? !shell_print_str(kozo_str(mark)) || !print_entry_json(e)
                 : !print_entry(e, i, "init"))
            return false;
        mark = ",\n  ";
    }
    return true;
}

static struct chain chain;

uint32_t caps_print_lease(struct kozo_str holder, uint64_t slot, bool json)
{
    chain = (struct chain){};
    for (uint32_t i = 0; i < knowns; i++)
        if (known[i].index == KOZO_SYSTEM_OF_LEASES && known[i].slot == slot)
            chain = (struct chain){ .id = known[i].id, .lease = true, .holder = holder };
    if (chain.id == 0)
        return shell_fail(holder, "that lease has ended meanwhile");
    return find_chain(&chain, holder) && print_chain(&chain, json) ? 0 : 1;
}

const struct program *caps_find_program(struct kozo_str word)
{
    const struct program *found = nullptr;

    for (uint32_t i = 0; i < services.programs; i++)
        if (is_meant(word, first_program + i) &&
            (found == nullptr || services.program[i].program->asks))
            found = services.program[i].program;
    return found;
}

uint32_t caps_print_held(struct kozo_str holder, struct kozo_str object, bool json)
{
    const struct known *k = find_object(holder, object);
    char text[256];
    struct json j = json_begin(text, sizeof text);

    if (k == nullptr)
        return shell_fail(object, "it holds no such capability; `caps` with its name lists them");
    chain = (struct chain){ .id = k->id };
    if (!find_chain(&chain, kozo_str(k->name)))
        return 1;
    if (!json)
        return print_chain(&chain, false) ? 0 : 1;
    json_known(&j, k);
    json_open(&j, "chain", '[');
    return shell_print_str(json_part(&j)) && print_chain(&chain, true) && shell_print("]}\n") ? 0
                                                                                              : 1;
}
