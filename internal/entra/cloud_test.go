// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/entratest"
)

func TestCloud(t *testing.T) {
	const tenant = entratest.Contoso
	for name, want := range map[string][3]string{
		"":       {"https://sts.windows.net/" + tenant + "/", "https://login.microsoftonline.com/" + tenant + "/v2.0", "https://graph.microsoft.com"},
		"public": {"https://sts.windows.net/" + tenant + "/", "https://login.microsoftonline.com/" + tenant + "/v2.0", "https://graph.microsoft.com"},
		"usgov":  {"https://sts.windows.net/" + tenant + "/", "https://login.microsoftonline.us/" + tenant + "/v2.0", "https://graph.microsoft.us"},
		"china":  {"https://sts.chinacloudapi.cn/" + tenant + "/", "https://login.partner.microsoftonline.cn/" + tenant + "/v2.0", "https://microsoftgraph.chinacloudapi.cn"},
	} {
		cloud, err := CloudNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]string{cloud.Issuer(V1, tenant), cloud.Issuer(V2, tenant), cloud.Graph}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		for version, issuer := range map[Version]string{V1: want[0], V2: want[1]} {
			if gotTenant, gotVersion, ok := cloud.ParseIssuer(issuer); !ok || gotTenant != tenant || gotVersion != version {
				t.Errorf("ParseIssuer(%s) = %s, %s, %v", issuer, gotTenant, gotVersion, ok)
			}
			for _, other := range []string{
				issuer + "/", strings.TrimSuffix(issuer, "/") + "x", strings.ToUpper(issuer), " " + issuer, "", "https://",
				strings.Replace(issuer, tenant, tenant[1:], 1), strings.Replace(issuer, tenant, "{tenantid}", 1),
				strings.Replace(issuer, tenant, strings.ToUpper(tenant), 1), strings.Replace(issuer, tenant, "x/"+tenant, 1),
				strings.Replace(issuer, "https", "http", 1),
			} {
				if _, _, ok := cloud.ParseIssuer(other); ok {
					t.Errorf("ParseIssuer(%s) takes it for one", other)
				}
			}
		}
	}
	if _, err := CloudNamed("germany"); err == nil {
		t.Error("a cloud that was closed is known")
	}
	cloud, _ := CloudNamed("public")
	if got, want := cloud.MetadataURL(V1, Common, entratest.Orders), "https://login.microsoftonline.com/common/.well-known/openid-configuration?appid="+entratest.Orders; got != want {
		t.Errorf("MetadataURL = %s, want %s", got, want)
	}
}

func TestCloud_AcceptsKeyOf(t *testing.T) {
	cloud, _ := CloudNamed("public")
	const base = "https://login.microsoftonline.com/"
	for issuer, want := range map[string]bool{
		"":                                    true,
		base + "{tenantid}/v2.0":              true,
		base + entratest.Contoso + "/v2.0":    true,
		base + entratest.Fabrikam + "/v2.0":   false,
		"https://sts.windows.net/{tenantid}/": true,
		"https://login.microsoftonline.us/{tenantid}/v2.0": false,
		"{tenantid}": false,
	} {
		if got := cloud.AcceptsKeyOf(issuer, entratest.Contoso); got != want {
			t.Errorf("AcceptsKeyOf(%q) = %v, want %v", issuer, got, want)
		}
	}
}

func TestAudiences(t *testing.T) {
	const id = entratest.Orders
	for configured, want := range map[string]string{
		"api://orders":            "api://orders",
		id:                        id + " api://" + id,
		"api://" + id:             "api://" + id + " " + id,
		"api://" + id + " " + id:  "api://" + id + " " + id,
		"https://orders.example/": "https://orders.example/",
	} {
		if got := strings.Join(Audiences(strings.Fields(configured)), " "); got != want {
			t.Errorf("Audiences(%s) = %s, want %s", configured, got, want)
		}
	}
}

func TestNewDirectory(t *testing.T) {
	d, err := NewDirectory([]string{strings.ToUpper(entratest.Contoso)}, nil)
	if err != nil || !d.Accepts(entratest.Contoso) || d.Accepts(entratest.Fabrikam) || d.Several() {
		t.Errorf("%+v, %v", d, err)
	}
	d, err = NewDirectory([]string{Organizations}, []string{entratest.Contoso, entratest.Fabrikam})
	if err != nil || d.Accepts(entratest.Stranger) || !d.Several() || d.Source(entratest.Contoso) != Organizations || !slices.Equal(d.Sources(), []string{Organizations}) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestIsID(t *testing.T) {
	for id, want := range map[string]bool{
		entratest.Contoso: true, "": false, entratest.Contoso + "0": false, strings.ToUpper(entratest.Contoso): false,
		strings.ReplaceAll(entratest.Contoso, "-", "0"): false, strings.Repeat("-", 36): false, strings.Repeat("a", 36): false,
		entratest.Contoso[:35] + "g": false, entratest.Contoso[:35] + "\x00": false,
	} {
		if IsID(id) != want {
			t.Errorf("IsID(%q) = %v", id, !want)
		}
	}
}
